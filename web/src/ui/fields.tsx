import { createContext, useContext, useEffect, useRef, useState, type ReactNode } from 'react';
import { Button, Checkbox, CheckboxGroup, FieldError, Form, Input, Label, Radio, RadioGroup, Text, TextArea, TextField, ToggleButton } from 'react-aria-components';

import { Problem } from '../api/problem';
import type { Way } from '../api/types';
import { codeHint } from '../sent';
import { Failure } from './notice';

// Refused is the refusal of one field of the form around, by the field's name.
const Refused = createContext<Problem | null>(null);

export function useRefusal(...names: string[]): string | null {
  const refusal = useContext(Refused);
  return refusal && names.includes(refusal.source) ? refusal.message : null;
}

interface FieldProps {
  name: string;
  label: string;
  hint?: ReactNode;
  autoComplete: string;
  autoFocus?: boolean;
  required?: boolean;
  defaultValue?: string;
  inputMode?: 'numeric' | 'decimal' | 'text' | 'email' | 'tel';
  disabled?: boolean;
  list?: string;
  lines?: number; // more than one: a text of several lines
  code?: boolean; // for a text of several lines: its columns matter
  type?: 'text' | 'datetime-local';
  onFocus?: () => void;
}

export function Field({ name, label, hint, autoFocus = false, required = true, disabled = false, onFocus, ...rest }: FieldProps) {
  const { autoComplete, inputMode, defaultValue, list, lines = 1, code = false, type = 'text' } = rest;
  const refusal = useRefusal(name);
  return (
    <TextField name={name} type={type} isRequired={required} isInvalid={refusal !== null} isDisabled={disabled} autoFocus={autoFocus} defaultValue={defaultValue ?? ''}
      autoComplete={autoComplete} inputMode={inputMode ?? 'text'} autoCorrect="off" spellCheck="false" {...(onFocus ? { onFocus } : {})}>
      <Label>{label}{!required && <span className="quiet"> (optional)</span>}</Label>
      {lines > 1 ? <TextArea rows={lines} {...(code ? { className: 'react-aria-TextArea code' } : {})} /> : <Input autoCapitalize="none" {...(list ? { list } : {})} />}
      {hint && <Text slot="description">{hint}</Text>}
      <FieldError>{refusal}</FieldError>
    </TextField>
  );
}

type PasswordFieldProps = Pick<FieldProps, 'name' | 'label' | 'hint' | 'autoComplete' | 'required'>;

export function PasswordField({ name, label, hint, autoComplete, required = true }: PasswordFieldProps) {
  const [shown, setShown] = useState(false);
  const refusal = useRefusal(name);
  return (
    <TextField name={name} isRequired={required} isInvalid={refusal !== null} type={shown ? 'text' : 'password'} autoComplete={autoComplete} spellCheck="false">
      <Label>{label}{!required && <span className="quiet"> (optional)</span>}</Label>
      <div className="beside">
        <Input autoCapitalize="none" />
        <ToggleButton isSelected={shown} onChange={setShown} aria-label={`Show ${label.toLowerCase()}`}>
          {shown ? 'Hide' : 'Show'}
        </ToggleButton>
      </div>
      {hint && <Text slot="description">{hint}</Text>}
      <FieldError>{refusal}</FieldError>
    </TextField>
  );
}

// ChoiceField takes one of a few values. Refusals may name the field otherwise,
// as `also` does.
export function ChoiceField({ name, label, hint, choices, defaultValue, also = [] }: {
  name: string; label: string; hint?: ReactNode; choices: { value: string; label: string }[]; defaultValue: string; also?: string[];
}) {
  const refusal = useRefusal(name, ...also);
  return (
    <RadioGroup name={name} defaultValue={defaultValue} isInvalid={refusal !== null} data-fields={[name, ...also].join(' ')}>
      <Label>{label}</Label>
      {choices.map((c) => <Radio key={c.value} value={c.value}><span className="dot" aria-hidden="true" />{c.label}</Radio>)}
      {hint && <Text slot="description">{hint}</Text>}
      <FieldError>{refusal}</FieldError>
    </RadioGroup>
  );
}

// ListField takes some of a few values.
export function ListField({ name, label, hint, choices, value, onChange }: {
  name: string; label: string; hint?: ReactNode; choices: { value: string; label: string }[]; value: string[]; onChange: (value: string[]) => void;
}) {
  const refusal = useRefusal(name);
  return (
    <CheckboxGroup value={value} onChange={onChange} isInvalid={refusal !== null} data-fields={name}>
      <Label>{label}</Label>
      {choices.map((c) => <Checkbox key={c.value} value={c.value}><span className="box" aria-hidden="true" />{c.label}</Checkbox>)}
      {hint && <Text slot="description">{hint}</Text>}
      <FieldError>{refusal}</FieldError>
    </CheckboxGroup>
  );
}

// CodeField takes a code, as it comes in a way.
export function CodeField({ way = { method: 'otp' } }: { way?: Way }) {
  if (way.method === 'recovery_code') {
    return (
      <Field name="code" label="Recovery code" autoComplete="off" autoFocus
        hint="One of the codes you saved when you set up your sign-in method. Each works once." />
    );
  }
  return (
    <Field name="code" label="Code" autoComplete="one-time-code" inputMode="numeric" autoFocus hint={codeHint(way)} />
  );
}

interface FilledFormProps {
  onFill: (values: Record<string, string>, reset: () => void) => void; // reset brings the form back to its first values
  failure: unknown;
  fields: string[]; // names of the form's fields: a refusal of one is shown there
  pending: boolean;
  submit: string;
  label?: string;
  children: ReactNode;
  more?: ReactNode; // beside the button
}

// submitterOf returns the button that a form was sent with, whose name and value
// are sent too; null where the browser names none.
function submitterOf(event: Event): HTMLElement | null {
  return event instanceof SubmitEvent ? event.submitter : null;
}

// FilledForm is a form that refuses empty fields itself and shows what the API
// refuses at the field it names. The refused field gets the focus; its message
// stays until the next try, so that nothing moves under the pointer.
export function FilledForm({ onFill, failure, fields, pending, submit, label, children, more }: FilledFormProps) {
  const form = useRef<HTMLFormElement>(null);
  const [empty, setEmpty] = useState<Problem | null>(null);
  const refused = empty ?? (failure instanceof Problem && fields.includes(failure.source) ? failure : null);
  useEffect(() => {
    if (!refused || !form.current) return;
    const field = form.current.elements.namedItem(refused.source);
    if (field instanceof HTMLElement) field.focus();
    else {
      const inputs = [...form.current.querySelectorAll<HTMLInputElement>(`[data-fields~="${CSS.escape(refused.source)}"] input`)];
      (inputs.find((i) => i.checked) ?? inputs[0])?.focus();
    }
  }, [refused]);
  const submitted = (of: HTMLFormElement, by: HTMLElement | null) => {
    if (pending) return;
    const values: Record<string, string> = {};
    for (const [name, value] of new FormData(of, by)) if (typeof value === 'string') values[name] = value;
    const missing = [...of.elements].find((e) => e instanceof HTMLInputElement && e.ariaRequired === 'true' && e.value === '');
    setEmpty(missing instanceof HTMLInputElement ? new Problem(0, 'empty', 'Fill in this field.', missing.name) : null);
    if (!missing) onFill(values, () => of.reset());
  };
  return (
    <>
      {!refused && <Failure of={failure} />}
      <Form ref={form} validationBehavior="aria" {...(label ? { 'aria-label': label } : {})}
        onSubmit={(event) => { event.preventDefault(); submitted(event.currentTarget, submitterOf(event.nativeEvent)); }}>
        <Refused value={refused}>{children}</Refused>
        <div className="actions">
          <Button type="submit" className={pending ? 'primary busy' : 'primary'} aria-disabled={pending}>{submit}</Button>
          {more}
        </div>
      </Form>
    </>
  );
}
