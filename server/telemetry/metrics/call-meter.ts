/** Durations of calls by method and code. */
import type { CallMeter, MeasuredCall } from '../../engine/ports/ports.ts';
import type { Distribution, HistogramFamily } from './histograms.ts';

export function callMeter(durations: HistogramFamily): CallMeter {
  const known = new Map<string, Distribution>();
  return {
    ended(call, seconds) {
      const key = `${call.system}/${call.method}/${call.code}`;
      let distribution = known.get(key);
      if (!distribution) {
        distribution = durations.of(labelsOf(call));
        known.set(key, distribution);
      }
      distribution.record(seconds);
    },
  };
}

/** Methods and codes are defined by the contract, so their number is bounded. */
function labelsOf({ system, method, code }: MeasuredCall) {
  const labels = { 'rpc.system.name': system, 'rpc.method': method, 'rpc.response.status_code': code };
  return code === 'OK' ? labels : { ...labels, 'error.type': code };
}
