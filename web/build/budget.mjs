// The most JavaScript that the console may send, in bytes after gzip, over all
// of its files.
export const scriptBudget = 200 * 1000;

// scriptBytes adds up the gzip sizes of the scripts among files, a list of
// {name, gzip}.
export function scriptBytes(files) {
  return files.filter((f) => f.name.endsWith('.js')).reduce((sum, f) => sum + f.gzip, 0);
}
