// WebAuthn: what the API asks of a security key or of the device, put to the
// browser. Source: W3C WebAuthn Level 3, section 5.1.

import { Problem } from './problem';

// What the API asks, as it stands on the wire.
export type CreationOptions = Omit<PublicKeyCredentialCreationOptionsJSON, 'extensions'>;
export type RequestOptions = Omit<PublicKeyCredentialRequestOptionsJSON, 'extensions'>;

// A KeyAnswer is a RegistrationResponseJSON or AuthenticationResponseJSON.
export type KeyAnswer = object;

// Parts of PublicKeyCredential that older browsers lack.
interface Parts {
  parseCreationOptionsFromJSON?: (o: CreationOptions) => PublicKeyCredentialCreationOptions;
  parseRequestOptionsFromJSON?: (o: RequestOptions) => PublicKeyCredentialRequestOptions;
  isConditionalMediationAvailable?: () => Promise<boolean>;
}

const parts = (): Parts | undefined => (globalThis as { PublicKeyCredential?: Parts }).PublicKeyCredential;

// usesKeys reports whether the browser can use security keys at this address.
export const usesKeys = () => parts() !== undefined && 'credentials' in navigator;

// suggestsPasskeys reports whether the browser can offer passkeys in a field.
export const suggestsPasskeys = async () => usesKeys() && (await parts()?.isConditionalMediationAvailable?.()) === true;

// createKey has a key made.
export const createKey = (options: CreationOptions): Promise<KeyAnswer> =>
  ceremony((signal) => navigator.credentials.create({
    publicKey: parts()?.parseCreationOptionsFromJSON?.(options) ?? creationOf(options), signal,
  }));

// askKey has a key answer.
export const askKey = (options: RequestOptions): Promise<KeyAnswer> =>
  ceremony((signal) => navigator.credentials.get({ publicKey: requested(options), signal }));

// suggestionLife is how long passkeys are offered for one challenge, in
// milliseconds: it lasts five minutes.
const suggestionLife = 4.5 * 60 * 1000;

// suggestKey offers the passkeys of the browser in the field that says so, and
// waits until one is chosen. Any other ceremony ends it.
export const suggestKey = (options: RequestOptions): Promise<KeyAnswer> =>
  ceremony((signal) => navigator.credentials.get({
    publicKey: requested(options), mediation: 'conditional',
    signal: AbortSignal.any([signal, AbortSignal.timeout(suggestionLife)]),
  }));

const requested = (options: RequestOptions) => parts()?.parseRequestOptionsFromJSON?.(options) ?? requestOf(options);

let under = new AbortController(); // the ceremony that is under way

// stopKeys ends the ceremony that is under way, if any.
export function stopKeys(): AbortSignal {
  under.abort();
  under = new AbortController();
  return under.signal;
}

async function ceremony(run: (signal: AbortSignal) => Promise<Credential | null>): Promise<KeyAnswer> {
  if (!usesKeys()) throw unable();
  try {
    return answerOf(await run(stopKeys()));
  } catch (failure) {
    throw problemOfKey(failure);
  }
}

const unable = () => new Problem(0, 'keys_unsupported', 'This browser or device cannot do this. Use another one, or another sign-in method.');

// problemOfKey says in a sentence why there is no answer of a key. Browsers tell
// little, so that pages cannot find out which keys somebody has.
export function problemOfKey(failure: unknown): Problem {
  if (failure instanceof Problem) return failure;
  switch (failure instanceof Error ? failure.name : '') {
    case 'InvalidStateError':
      return new Problem(0, 'key_known', 'This key or device is set up already.');
    case 'SecurityError':
      return new Problem(0, 'keys_elsewhere', 'Keys do not work at this address. Open the console at the address of your workspace.');
    case 'NotSupportedError':
    case 'ConstraintError':
      return unable();
    default:
      return new Problem(0, 'key_cancelled', 'There was no answer: it was cancelled, it took too long, or the key is not one of yours. Try again.');
  }
}

// answerOf writes a credential as JSON, as toJSON of newer browsers does.
export function answerOf(made: Credential | null): KeyAnswer {
  const c = made as (PublicKeyCredential & { toJSON?: () => KeyAnswer }) | null;
  if (!c) throw problemOfKey(null);
  if (c.toJSON) return c.toJSON();
  const all = { id: c.id, rawId: base64url(c.rawId), type: c.type, clientExtensionResults: c.getClientExtensionResults(),
    ...(c.authenticatorAttachment ? { authenticatorAttachment: c.authenticatorAttachment } : {}) };
  const clientDataJSON = base64url(c.response.clientDataJSON);
  if ('attestationObject' in c.response) {
    const r = c.response as AuthenticatorAttestationResponse;
    return { ...all, response: { clientDataJSON, attestationObject: base64url(r.attestationObject), transports: r.getTransports?.() ?? [] } };
  }
  const r = c.response as AuthenticatorAssertionResponse;
  return { ...all, response: { clientDataJSON, authenticatorData: base64url(r.authenticatorData), signature: base64url(r.signature),
    ...(r.userHandle ? { userHandle: base64url(r.userHandle) } : {}) } };
}

// creationOf and requestOf read options as the parsers of newer browsers do.
export function creationOf(o: CreationOptions): PublicKeyCredentialCreationOptions {
  return { ...o, challenge: bytes(o.challenge), user: { ...o.user, id: bytes(o.user.id) }, excludeCredentials: described(o.excludeCredentials) } as PublicKeyCredentialCreationOptions;
}

export function requestOf(o: RequestOptions): PublicKeyCredentialRequestOptions {
  return { ...o, challenge: bytes(o.challenge), allowCredentials: described(o.allowCredentials) } as PublicKeyCredentialRequestOptions;
}

const described = (list: PublicKeyCredentialDescriptorJSON[] = []) => list.map((d) => ({ ...d, id: bytes(d.id) }));

function bytes(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (c) => c.charCodeAt(0));
}

function base64url(of: ArrayBuffer): string {
  return btoa(Array.from(new Uint8Array(of), (b) => String.fromCharCode(b)).join('')).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');
}
