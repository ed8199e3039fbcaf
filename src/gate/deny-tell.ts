import type { ReplicaState } from './deny-replica.ts';

/** Where replicas tell each other that the list has changed. */
export const denyChannel = 'deny';

/** That nobody can be told is no failure: everybody looks by himself. */
export async function tell({ list, notifications }: ReplicaState): Promise<void> {
  await notifications.publish(denyChannel, String(list.epoch())).catch(() => undefined);
}
