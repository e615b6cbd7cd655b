import { useEffect, useRef, type ReactNode } from 'react';

// Page is the main part of a page: a heading that names the document and takes
// the focus when the page comes in place of another, or becomes another step.
export function Page({ title, narrow = false, children }: { title: string; narrow?: boolean; children: ReactNode }) {
  const heading = useRef<HTMLHeadingElement>(null);
  const shown = useRef(false);
  useEffect(() => {
    document.title = `${title} · Paddock`;
    const focused = document.activeElement;
    const moved = shown.current || navigated();
    shown.current = true;
    if (moved && (focused === null || focused === document.body || !focused.closest('main'))) heading.current?.focus();
  }, [title]);
  return (
    <main id="content" className={narrow ? 'narrow' : undefined} tabIndex={-1}>
      {narrow && <p className="brand">Paddock</p>}
      <h1 ref={heading} tabIndex={-1}>{title}</h1>
      {children}
    </main>
  );
}

// navigated reports whether the page was reached within the console: on the
// first load the browser's own start at the top is right.
function navigated(): boolean {
  return document.documentElement.dataset['navigated'] === 'yes';
}

export function noteNavigation(): void {
  document.documentElement.dataset['navigated'] = 'yes';
}

export function Time({ at, children }: { at: string; children: ReactNode }) {
  return <time dateTime={at}>{children}</time>;
}
