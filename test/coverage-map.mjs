/** A unit test covers the one file that it mirrors; other tests give no coverage. */
export default (test) =>
  test.startsWith('test/unit/')
    ? test.replace('test/unit/', 'src/').replace('.test.ts', '.ts')
    : null;
