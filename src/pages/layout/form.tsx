import type { ComponentChildren, PartialInputHTMLAttributes, VNode } from 'preact'
import { TOKEN_FIELD } from '../forms/form-guard.js'
import { usePage } from './page-context.js'

interface FormProps {
  /** The path that it is sent to. */
  action: string
  /** What is wrong with the whole of it. */
  error?: string | null
  /** Fields that are not shown. */
  hidden?: Readonly<Record<string, string>>
  className?: string
  /** For a script. */
  data?: Readonly<Record<`data-${string}`, string>>
  /** Until a script shows it, which it cannot do without. */
  isHidden?: boolean
  children: ComponentChildren
}

/**
 * A form that works without script. The server judges its fields, so that what it says about them is in the page's language
 * and beside the field, and not in a bubble of the browser.
 */
export function Form(props: FormProps): VNode {
  const { action, error = null, hidden = {}, className, data = {}, isHidden = false, children } = props
  const { href, formToken } = usePage()
  return (
    <form method="post" action={href(action)} class={className} noValidate hidden={isHidden} {...data}>
      <input type="hidden" name={TOKEN_FIELD} value={formToken()} />
      {Object.entries(hidden).map(([name, value]) => (
        <input key={name} type="hidden" name={name} value={value} />
      ))}
      {error !== null && <Alert>{error}</Alert>}
      {children}
    </form>
  )
}

interface FieldProps {
  name: string
  label: string
  type?: 'text' | 'email' | 'password'
  value?: string
  error?: string | undefined
  hint?: string | undefined
  autocomplete: string
  inputmode?: 'email' | 'numeric' | 'text'
  maxlength?: number
  isOptional?: boolean
  isReadonly?: boolean
  /** Whether the page begins here, if nothing is wrong. */
  isFirst?: boolean
}

/** A labelled field, with a hint and what is wrong with it. */
export function Field(props: FieldProps): VNode {
  const {
    name,
    label,
    type = 'text',
    value,
    error,
    hint,
    isOptional = false,
    isReadonly = false,
    isFirst = false,
  } = props
  const { t } = usePage()
  const describedBy = [hint === undefined ? [] : [`${name}-hint`], error === undefined ? [] : [`${name}-error`]].flat()
  const attributes = {
    id: name,
    name,
    value,
    dir: type === 'text' ? ('auto' as const) : ('ltr' as const),
    autocomplete: props.autocomplete,
    inputmode: props.inputmode,
    maxlength: props.maxlength,
    required: !isOptional,
    readonly: isReadonly,
    autofocus: error !== undefined || isFirst,
    'aria-invalid': error === undefined ? undefined : ('true' as const),
    'aria-describedby': describedBy.length === 0 ? undefined : describedBy.join(' '),
    'data-show-label': type === 'password' ? t('password.show') : undefined,
  }
  return (
    <div class={error === undefined ? 'field' : 'field invalid'}>
      <label for={name}>
        {label}
        {isOptional && <span class="optional"> ({t('common.optional')})</span>}
      </label>
      {hint !== undefined && (
        <p class="hint" id={`${name}-hint`}>
          {hint}
        </p>
      )}
      {error !== undefined && (
        <p class="error" id={`${name}-error`} role="alert">
          {error}
        </p>
      )}
      <Input type={type} attributes={attributes} />
    </div>
  )
}

/** The present password of a user, as the first field of its form. Password managers fill it. */
export function PasswordField({ error }: { error: string | undefined }): VNode {
  const { t } = usePage()
  return (
    <Field
      name="password"
      label={t('field.password')}
      type="password"
      autocomplete="current-password"
      error={error}
      isFirst
    />
  )
}

type InputAttributes = Omit<PartialInputHTMLAttributes<HTMLInputElement>, 'role' | 'type'>

/** The types of preact differ by the type of an input. */
function Input({ type, attributes }: { type: 'text' | 'email' | 'password'; attributes: InputAttributes }): VNode {
  switch (type) {
    case 'text':
      return <input type="text" {...attributes} />
    case 'email':
      return <input type="email" autocapitalize="none" spellcheck={false} {...attributes} />
    case 'password':
      return <input type="password" autocapitalize="none" spellcheck={false} {...attributes} />
  }
}

export function Checkbox({ name, label, isChecked }: { name: string; label: string; isChecked: boolean }): VNode {
  return (
    <div class="checkbox">
      <input id={name} name={name} type="checkbox" value="true" checked={isChecked} />
      <label for={name}>{label}</label>
    </div>
  )
}

interface SelectProps {
  name: string
  label: string
  chosen: string
  options: readonly { value: string; text: string; lang?: string }[]
}

export function Select({ name, label, chosen, options }: SelectProps): VNode {
  return (
    <div class="field">
      <label for={name}>{label}</label>
      <select id={name} name={name}>
        {options.map(({ value, text, lang }) => (
          <option key={value} value={value} lang={lang} selected={value === chosen}>
            {text}
          </option>
        ))}
      </select>
    </div>
  )
}

type ButtonKind = 'primary' | 'secondary' | 'danger'

interface ButtonProps {
  kind?: ButtonKind
  /** What it does, where its text alone does not say. */
  label?: string
  children: ComponentChildren
}

export function Button({ kind = 'primary', label, children }: ButtonProps): VNode {
  return (
    <button type="submit" class={`button ${kind}`} aria-label={label}>
      {children}
    </button>
  )
}

export function ButtonLink(props: ButtonProps & { path: string }): VNode {
  const { href } = usePage()
  return (
    <a class={`button ${props.kind ?? 'primary'}`} href={href(props.path)} aria-label={props.label}>
      {props.children}
    </a>
  )
}

/** What is wrong with a page as a whole; read out at once. */
export function Alert({ children }: { children: ComponentChildren }): VNode {
  return (
    <p class="alert" role="alert">
      {children}
    </p>
  )
}

/** What has been done. */
export function Status({ children }: { children: ComponentChildren }): VNode {
  return (
    <p class="status" role="status">
      {children}
    </p>
  )
}
