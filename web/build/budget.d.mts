export const scriptBudget: number;
export function scriptBytes(files: { name: string; gzip: number }[]): number;
