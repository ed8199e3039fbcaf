import { airgapExport } from './airgap-export.ts';
import { airgapImport } from './airgap-import.ts';
import { airgapInit } from './airgap-init.ts';
import { airgapInspect } from './airgap-inspect.ts';
import { airgapPublish } from './airgap-publish.ts';
import { airgapVerify } from './airgap-verify.ts';
import { cachePurge } from './cache-purge.ts';
import { cacheScrub } from './cache-scrub.ts';
import { cacheStats } from './cache-stats.ts';
import { cacheWarm } from './cache-warm.ts';
import type { Command } from './command.ts';
import { denyAdd } from './deny-add.ts';
import { denyList } from './deny-list.ts';
import { denyRemove } from './deny-remove.ts';
import { explain } from './explain.ts';
import { policyCheck } from './policy-check.ts';
import { policySetBack } from './policy-set-back.ts';
import { serve } from './serve.ts';
import { trustList } from './trust-list.ts';
import { trustRefresh } from './trust-refresh.ts';
import { verify } from './verify.ts';
import { version } from './version.ts';

/** Every command. To add one: write its file, add its line. */
export const commands = [
  serve,
  verify,
  explain,
  policyCheck,
  policySetBack,
  trustList,
  trustRefresh,
  denyAdd,
  denyRemove,
  denyList,
  cacheStats,
  cacheScrub,
  cachePurge,
  cacheWarm,
  airgapInit,
  airgapExport,
  airgapInspect,
  airgapVerify,
  airgapImport,
  airgapPublish,
  version,
] as const satisfies readonly Command[];
