import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

// Nothing is inlined into the page: the console's policy admits only files of
// its own origin. `npm run dev` passes the API on to a running `make up`.
export default defineConfig({
  plugins: [react()],
  build: {
    target: 'es2022',
    assetsInlineLimit: 0,
    cssCodeSplit: false,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
  server: {
    proxy: { '/api': 'http://localhost:8080' },
  },
});
