import { useState, type ReactNode } from 'react';
import { FieldError, Form, Input, Label, Text, TextField, ToggleButton } from 'react-aria-components';
import { Button } from 'react-aria-components';

import { Problem } from '../api/problem';
import { Failure } from './notice';

interface FieldProps {
  name: string;
  label: string;
  hint?: ReactNode;
  autoComplete: string;
  autoFocus?: boolean;
  required?: boolean;
  defaultValue?: string;
  inputMode?: 'numeric' | 'decimal' | 'text' | 'email';
  disabled?: boolean;
  list?: string;
}

export function Field({ name, label, hint, autoFocus = false, required = true, disabled = false, ...rest }: FieldProps) {
  const { autoComplete, inputMode, defaultValue, list } = rest;
  return (
    <TextField name={name} isRequired={required} isDisabled={disabled} autoFocus={autoFocus} defaultValue={defaultValue ?? ''}
      autoComplete={autoComplete} inputMode={inputMode ?? 'text'} autoCorrect="off" spellCheck="false">
      <Label>{label}{!required && <span className="quiet"> (optional)</span>}</Label>
      <Input autoCapitalize="none" {...(list ? { list } : {})} />
      {hint && <Text slot="description">{hint}</Text>}
      <FieldError />
    </TextField>
  );
}

export function PasswordField({ name, label, hint, autoComplete }: Pick<FieldProps, 'name' | 'label' | 'hint' | 'autoComplete'>) {
  const [shown, setShown] = useState(false);
  return (
    <TextField name={name} isRequired type={shown ? 'text' : 'password'} autoComplete={autoComplete} spellCheck="false">
      <Label>{label}</Label>
      <div className="beside">
        <Input autoCapitalize="none" />
        <ToggleButton isSelected={shown} onChange={setShown} aria-label={`Show ${label.toLowerCase()}`}>
          {shown ? 'Hide' : 'Show'}
        </ToggleButton>
      </div>
      {hint && <Text slot="description">{hint}</Text>}
      <FieldError />
    </TextField>
  );
}

// CodeField takes a one-time or a recovery code.
export function CodeField({ recovery = false }: { recovery?: boolean }) {
  return recovery ? (
    <Field name="code" label="Recovery code" autoComplete="off" autoFocus
      hint="One of the codes you saved when you set up your sign-in method. Each works once." />
  ) : (
    <Field name="code" label="Code" autoComplete="one-time-code" inputMode="numeric" autoFocus
      hint="The six digits that your authenticator app shows now." />
  );
}

interface FilledFormProps {
  onFill: (values: Record<string, string>) => void;
  failure: unknown;
  fields: string[]; // names of the form's fields: a refusal of one is shown there
  pending: boolean;
  submit: string;
  label?: string;
  children: ReactNode;
  more?: ReactNode; // beside the button
}

// FilledForm is a form whose fields are checked by the browser first and by the
// API second: what it refuses is shown at the field it names and focused.
export function FilledForm({ onFill, failure, fields, pending, submit, label, children, more }: FilledFormProps) {
  const atField = failure instanceof Problem && fields.includes(failure.source);
  return (
    <>
      {!atField && <Failure of={failure} />}
      <Form {...(label ? { 'aria-label': label } : {})} validationErrors={atField ? { [failure.source]: failure.message } : {}}
        onSubmit={(event) => {
          event.preventDefault();
          if (pending) return;
          const values: Record<string, string> = {};
          for (const [name, value] of new FormData(event.currentTarget)) if (typeof value === 'string') values[name] = value;
          onFill(values);
        }}>
        {children}
        <div className="actions">
          <Button type="submit" className="primary" isPending={pending}>{submit}</Button>
          {more}
        </div>
      </Form>
    </>
  );
}
