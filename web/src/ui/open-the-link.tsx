import { Page } from './page';

// OpenTheLink is what the page of a mailed link says when it was opened without
// the link's secret.
export function OpenTheLink({ title }: { title: string }) {
  return (
    <Page title={title} narrow>
      <p>Open this page with the link of the mail. For your safety this page takes the link out of the address: after a reload, open it again.</p>
    </Page>
  );
}
