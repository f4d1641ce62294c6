/* Chooses the code of argon2's inner loop for the processor that it runs on: see build-argon2.js. */
#include "core.h"

void fill_segment_portable(const argon2_instance_t *instance, argon2_position_t position);
void fill_segment_avx2(const argon2_instance_t *instance, argon2_position_t position);

void fill_segment(const argon2_instance_t *instance, argon2_position_t position) {
    if (__builtin_cpu_supports("avx2")) {
        fill_segment_avx2(instance, position);
    } else {
        fill_segment_portable(instance, position);
    }
}
