import { cruiseOptions, importRules } from './test/architecture/import-rules.ts';

export default { forbidden: importRules, options: cruiseOptions };
