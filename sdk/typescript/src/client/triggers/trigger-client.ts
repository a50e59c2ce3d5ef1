/** Calls for triggers. */

import type { Trigger } from '../../gen/muster/v1/trigger_pb.ts';
import type {
  ApplyTriggerResponse,
  ExplainTriggerResponse,
  ListTriggerRunsResponse,
  ListTriggersResponse,
} from '../../gen/muster/v1/trigger_service_pb.ts';
import { TriggerService } from '../../gen/muster/v1/trigger_service_pb.ts';
import type { OpenChannel } from '../../transport/channel.ts';
import type { UnaryClient } from '../../transport/unary-client.ts';
import { unaryClient } from '../../transport/unary-client.ts';
import { newUuid } from '../../uuid.ts';
import type { ClientOptions, PageOptions, RequestOptions } from '../calls.ts';
import { present } from '../calls.ts';
import { ScheduleClient } from '../schedules/schedule-client.ts';
import type { TriggerInit } from './trigger.ts';
import { triggerMessage } from './trigger.ts';

type ApplyCall = 'applyTrigger' | 'checkTrigger';

export class TriggerClient extends ScheduleClient {
  readonly #triggers: UnaryClient<(typeof TriggerService)['method']>;

  constructor(options: ClientOptions, open: OpenChannel) {
    super(options, open);
    this.#triggers = unaryClient(this.calls.channel, TriggerService);
  }

  /**
   * Creates or changes a trigger. Unchanged content changes nothing; a changed condition drops the causes so far.
   *
   * @throws MusterError INVALID_ARGUMENT; NOT_FOUND (DEFINITION_NOT_FOUND, TRIGGER_NOT_FOUND); FAILED_PRECONDITION
   *   (DEFINITION_ARCHIVED); ABORTED (ETAG_STALE).
   */
  async applyTrigger(trigger: TriggerInit, options: RequestOptions = {}): Promise<Trigger> {
    return present((await this.#apply('applyTrigger', trigger, options)).trigger, 'trigger');
  }

  /**
   * Checks a trigger without storing it. Returns what `applyTrigger` would store.
   *
   * @throws MusterError as `applyTrigger` would.
   */
  checkTrigger(trigger: TriggerInit, options: RequestOptions = {}): Promise<ApplyTriggerResponse> {
    return this.#apply('checkTrigger', trigger, options);
  }

  /** Reads a trigger. @throws MusterError NOT_FOUND (TRIGGER_NOT_FOUND). */
  async getTrigger(name: string, options: RequestOptions = {}): Promise<Trigger> {
    const request = { namespace: this.calls.namespace, name };
    const response = await this.calls.make('getTrigger', options, (call) => this.#triggers.getTrigger(request, call));
    return present(response.trigger, 'trigger');
  }

  /** Lists a page of the triggers by name. */
  async listTriggers(page: PageOptions = {}, options: RequestOptions = {}): Promise<ListTriggersResponse> {
    const request = this.calls.page('listTriggers', page);
    return this.calls.make('listTriggers', options, (call) => this.#triggers.listTriggers(request, call));
  }

  /** Deletes a trigger and the records of its runs; its jobs stay. @throws MusterError NOT_FOUND. */
  async deleteTrigger(name: string, options: RequestOptions = {}): Promise<void> {
    const request = this.#triggerNamed(name, options);
    await this.calls.make('deleteTrigger', options, (call) => this.#triggers.deleteTrigger(request, call));
  }

  /**
   * Ignores causes until the trigger is resumed. Earlier causes stay. Pausing twice is no error.
   *
   * @param reason Reason, shown to operators. At most 256 characters.
   * @throws MusterError NOT_FOUND.
   */
  async pauseTrigger(name: string, reason = '', options: RequestOptions = {}): Promise<Trigger> {
    const request = { ...this.#triggerNamed(name, options), reason };
    const response = await this.calls.make('pauseTrigger', options, (call) =>
      this.#triggers.pauseTrigger(request, call),
    );
    return present(response.trigger, 'trigger');
  }

  /** Resumes a paused trigger: causes count from now on. Resuming twice is no error. @throws MusterError NOT_FOUND. */
  async resumeTrigger(name: string, options: RequestOptions = {}): Promise<Trigger> {
    const request = this.#triggerNamed(name, options);
    const response = await this.calls.make('resumeTrigger', options, (call) =>
      this.#triggers.resumeTrigger(request, call),
    );
    return present(response.trigger, 'trigger');
  }

  /** Lists a page of the runs of a trigger, newest first. @throws MusterError NOT_FOUND. */
  async listTriggerRuns(
    name: string,
    page: PageOptions = {},
    options: RequestOptions = {},
  ): Promise<ListTriggerRunsResponse> {
    const request = { ...this.calls.page('listTriggerRuns', page), name };
    return this.calls.make('listTriggerRuns', options, (call) => this.#triggers.listTriggerRuns(request, call));
  }

  /**
   * Says what a trigger waits for: a page of `progress` by key, each with its causes so far and what is missing; and in
   * `missing` what a key without a cause needs.
   *
   * @throws MusterError NOT_FOUND.
   */
  async explainTrigger(
    name: string,
    page: PageOptions = {},
    options: RequestOptions = {},
  ): Promise<ExplainTriggerResponse> {
    const request = { ...this.calls.page('explainTrigger', page), name };
    return this.calls.make('explainTrigger', options, (call) => this.#triggers.explainTrigger(request, call));
  }

  async #apply(call: ApplyCall, trigger: TriggerInit, options: RequestOptions): Promise<ApplyTriggerResponse> {
    const request = {
      trigger: triggerMessage(trigger, this.calls.namespace, call),
      validateOnly: call === 'checkTrigger',
      requestId: options.requestId ?? newUuid(),
    };
    return this.calls.make(call, options, (callOptions) => this.#triggers.applyTrigger(request, callOptions));
  }

  #triggerNamed(name: string, { requestId = newUuid() }: RequestOptions) {
    return { namespace: this.calls.namespace, name, requestId };
  }
}
