/**
 * Where a property test begins: printed in its title, so that a failure can be repeated with FAST_CHECK_SEED. Another one at
 * each run of a developer; under CI always the same, so that a commit is not judged by what others may have broken.
 */
export const SEED = Number(
  process.env.FAST_CHECK_SEED ?? (process.env.CI ? 20_261_121 : Date.now() % 2 ** 31),
);
