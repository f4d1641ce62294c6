-- CreateIndex
-- In a transaction of their own: the one before holds a lock that stops refreshes, which need not wait for a scan of the table.
-- Partial, so that a sign-in of a first-party client writes no entry. Prisma cannot describe them, and therefore ignores them.
CREATE INDEX "refresh_token_family_parent_id_idx" ON "refresh_token_family"("parent_id") WHERE "parent_id" IS NOT NULL;

-- CreateIndex
CREATE INDEX "refresh_token_family_grant_id_idx" ON "refresh_token_family"("grant_id") WHERE "grant_id" IS NOT NULL;
