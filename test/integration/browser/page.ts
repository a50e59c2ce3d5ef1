/** The script of the test page, which runs in a browser: a form that submits a job and shows its outcome. */
import { Code, ConnectError, createClient } from '@connectrpc/connect';
import { createConnectTransport, createGrpcWebTransport } from '@connectrpc/connect-web';
import { ErrorInfoSchema } from '../../../sdk/typescript/src/gen/google/rpc/error_details_pb.ts';
import { JobState } from '../../../sdk/typescript/src/gen/muster/v1/job_pb.ts';
import { JobService } from '../../../sdk/typescript/src/gen/muster/v1/job_service_pb.ts';

interface Element {
  value: string;
  textContent: string;
  addEventListener(event: string, listener: () => void): void;
}

declare const document: { querySelector(selector: string): Element };

const element = (id: string) => document.querySelector(`#${id}`);

function clientOf(dialect: string) {
  const baseUrl = element('server').value;
  const transport =
    dialect === 'grpc-web'
      ? createGrpcWebTransport({ baseUrl })
      : createConnectTransport({ baseUrl, useBinaryFormat: dialect === 'binary' });
  return createClient(JobService, transport);
}

async function submit(): Promise<void> {
  const jobs = clientOf(element('dialect').value);
  const [definition, data] = [element('definition').value, new TextEncoder().encode(element('input').value)];
  const { jobId } = await jobs.submitJob({ job: { definition, input: { data, contentType: 'text/plain' } } });
  element('job').textContent = jobId;
  const { job } = await jobs.waitJob({ jobId, timeout: { seconds: 60n } });
  element('state').textContent = job?.state === JobState.SUCCEEDED ? 'succeeded' : 'ended otherwise';
  const outcome = job?.outcome;
  if (outcome?.case === 'result') element('result').textContent = new TextDecoder().decode(outcome.value.data);
}

element('submit').addEventListener('click', () => {
  submit().catch((error: unknown) => {
    const refusal = ConnectError.from(error);
    const [info] = refusal.findDetails(ErrorInfoSchema);
    element('error').textContent = `${Code[refusal.code]} ${info?.reason ?? '(no reason)'}`;
  });
});
