import { setTimeout as delay } from 'node:timers/promises';
import type { MetricsText } from '../admin/metrics.ts';
import { handOver } from '../config/hand-over.ts';
import type { Config } from '../config/schema.ts';
import { randomHex, systemClock } from '../kernel/clock.ts';
import { makeMetrics, type MetricsRegistry } from '../observe/metrics.ts';
import { makePinoLog } from '../observe/pino-log.ts';
import { sumMetrics } from '../observe/sum-metrics.ts';
import type { Wait } from '../storage/pace.ts';
import { type App, composeApp } from './app.ts';
import { forkWorker } from './fork-worker.ts';
import { makeHostLeases } from './host-leases.ts';
import { type HostNotifications, makeHostNotifications } from './host-notifications.ts';
import type { Host } from './host.ts';
import { hangLimits, restartLimitsOf, strayLimits, workerLookMs } from './limits.ts';
import { addressesOf } from './listen.ts';
import { repeat, type Rounds } from './repeat.ts';
import type { Runnable } from './run.ts';
import { makeWorkers, type Workers } from './workers.ts';

const wait: Wait = (ms, signal) => delay(ms, undefined, { signal, ref: false });

/**
 * The process that watches over workers. It serves no pulls: it has the admin listener for all of
 * them, keeps what they have together, and hands connections on. Whatever keeps a process on this
 * configuration from starting is found here first. Throws `StartupError`.
 */
export async function composePrimary(config: Config, count: number): Promise<Runnable> {
  const log = makePinoLog({ level: 'info', isShared: true });
  const metrics = makeMetrics();
  const leases = makeHostLeases(systemClock);
  const notifications: HostNotifications = makeHostNotifications((channel, message) =>
    workers.tell({ kind: 'told', channel, message }),
  );
  const workers: Workers = makeWorkers({
    count,
    fork: forkWorker,
    limits: { ...restartLimitsOf(count), ...hangLimits, ...strayLimits },
    onWord(word, from) {
      if (word.kind === 'question') {
        const answer = leases.answer(from, word.question);
        from.process.send({ kind: 'answer', id: word.id, answer });
        return;
      }
      notifications.deliver(word.channel, word.message);
      workers.tell(word, from);
    },
    onEnd: (run) => leases.forget(run),
    clock: systemClock,
    wait,
    metrics,
    log,
  });
  const told = { probe: workers.probe, metrics: textOf(metrics, workers) };
  const replica = randomHex(8);
  const host: Host = { isKeeper: true, replica, notifications, listeners: [], told };
  const app = await composeApp(config, { log, metrics, host });
  const looks = lookAfter(workers, app);
  return {
    log,
    failure: workers.failure,
    async listen() {
      const admin = { host: config.admin.host, port: await app.listenAdmin() };
      const given = { config: handOver(config), replica, admin };
      const port = await workers.start(given);
      host.listeners.push({ ...config.listen, port });
      const addresses = addressesOf(config, port, admin.port);
      log.info({ ...addresses, workers: count }, 'listening');
      return addresses;
    },
    async reload() {
      workers.tell({ kind: 'reload' });
      await app.reload();
    },
    beginDraining: () => app.beginDraining(),
    async close() {
      // The admin listener answers until the last pull has ended.
      await workers.close();
      await looks.close();
      await app.close();
    },
    // Workers see to theirs themselves.
    closeIdleConnections: () => app.closeIdleConnections(),
    destroyConnections() {
      workers.cut();
      app.destroyConnections();
    },
  };
}

function lookAfter(workers: Pick<Workers, 'look'>, app: Pick<App, 'inForce' | 'reload'>): Rounds {
  return repeat(async () => {
    // Where one of them has another policy, nobody knows which of the two is behind.
    if (workers.look(app.inForce())) await app.reload();
  }, workerLookMs);
}

/** Of this process, of the workers, and of those that were there before them. */
function textOf(own: MetricsRegistry, workers: Pick<Workers, 'snapshots'>): MetricsText {
  return {
    contentType: own.contentType,
    async render() {
      const others = await workers.snapshots();
      return sumMetrics([await own.snapshot(), ...others]);
    },
  };
}
