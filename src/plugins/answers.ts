import { isObject, type Json, type JsonObject, readJson } from '../kernel/json.ts';
import { quoted } from '../kernel/quoted.ts';
import { messageOf } from '../kernel/tagged-error.ts';
import { PluginError } from './plugin-error.ts';
import type { CommandRun } from './run-command.ts';
import {
  type PluginAnswer,
  type PluginCapability,
  pluginCapabilities,
  type PluginMetadata,
  type PluginQuestion,
  type PluginResult,
} from './verification-plugin.ts';

/** The version of the contract that is spoken here. */
export const contractVersion = '1.0';

const maxReasonLength = 200;

/** The document that a run answered with. Throws `PluginError`, with the plugin's own error. */
export function readOutput(name: string, { exitCode, output, errors }: CommandRun): JsonObject {
  if (exitCode !== 0) {
    const how = exitCode === null ? 'was ended by a signal' : `ended with exit code ${exitCode}`;
    throw new PluginError('PLUGIN_FAILED', `${name} ${how}${describeError(errors)}`);
  }
  let document: Json;
  try {
    document = readJson(output);
  } catch (cause) {
    throw malformed(name, `its output is not one JSON document: ${messageOf(cause)}`);
  }
  if (!isObject(document)) throw malformed(name, 'its output is no JSON object');
  return document;
}

/** Plugin Extensibility, get-plugin-metadata. Throws `PluginError`. */
export function readMetadata(name: string, document: JsonObject): PluginMetadata {
  const text = (member: string): string => {
    const { [member]: value } = document;
    if (typeof value === 'string' && value !== '') return value;
    throw malformed(name, `${member} is missing, empty or no text`);
  };
  const stated = text('name');
  if (stated !== name) throw malformed(name, `it calls itself ${quoted(stated)}`);
  const version = text('version');
  text('description');
  text('url');
  if (!readTexts(name, document, 'supportedContractVersions').includes(contractVersion)) {
    throw malformed(name, `it does not support version ${contractVersion} of the contract`);
  }
  const stating = readTexts(name, document, 'capabilities');
  const capabilities = pluginCapabilities.filter((capability) => stating.includes(capability));
  if (capabilities.length === 0) throw malformed(name, 'it has no capability to verify');
  return { name, version, capabilities };
}

/**
 * The same, verify-signature: a result for each capability that was asked for, and for no other.
 * Throws `PluginError`.
 */
export function readAnswer(
  name: string,
  { trustPolicy }: PluginQuestion,
  document: JsonObject,
): PluginAnswer {
  const { verificationResults } = document;
  if (!isObject(verificationResults)) throw malformed(name, 'verificationResults is no object');
  const asked = trustPolicy.signatureVerification;
  const stranger = Object.keys(verificationResults).find((key) => !asked.some((is) => is === key));
  if (stranger !== undefined) {
    throw malformed(name, `it was not asked for ${quoted(stranger)}, and answers it`);
  }
  const results = asked.map((capability): [PluginCapability, PluginResult] => {
    const { [capability]: result } = verificationResults;
    if (result === undefined) throw malformed(name, `it gives no answer for ${capability}`);
    return [capability, readResult(name, capability, result)];
  });
  const processed = readTexts(name, document, 'processedAttributes');
  return { results: new Map(results), processedAttributes: new Set(processed) };
}

function readResult(name: string, capability: PluginCapability, result: Json): PluginResult {
  const { success, reason } = isObject(result) ? result : {};
  if (typeof success !== 'boolean') throw malformed(name, `${capability} is neither yes nor no`);
  if (reason === undefined || reason === null || reason === '') return { success };
  if (typeof reason !== 'string') throw malformed(name, `the reason of ${capability} is no text`);
  return { success, untrustedReason: reason };
}

/** Go writes an empty list as `null`, or leaves it out. */
function readTexts(name: string, document: JsonObject, member: string): readonly string[] {
  const { [member]: list } = document;
  if (list === undefined || list === null) return [];
  if (!Array.isArray(list)) throw malformed(name, `${member} is no list`);
  return list.map((item: Json) => {
    if (typeof item === 'string') return item;
    throw malformed(name, `${member} has a member that is no text`);
  });
}

/** The contract's error document, if it is one; anything else it said is not repeated. */
function describeError(errors: Uint8Array): string {
  try {
    const document = readJson(errors);
    const { errorCode, errorMessage } = isObject(document) ? document : {};
    if (typeof errorCode !== 'string') return '';
    const told =
      typeof errorMessage === 'string' ? `: ${quoted(errorMessage, maxReasonLength)}` : '';
    return ` (${quoted(errorCode)}${told})`;
  } catch {
    return '';
  }
}

function malformed(name: string, why: string): PluginError {
  return new PluginError('PLUGIN_ANSWER_MALFORMED', `${name} breaks the contract: ${why}`);
}
