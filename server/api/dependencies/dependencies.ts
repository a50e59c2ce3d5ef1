/** The method of JobService that adds dependencies to a job. */
import { create } from '@bufbuild/protobuf';
import { AddDependenciesResponseSchema, type JobService } from '@muster-jobs/sdk/gen/muster/v1/job_service_pb';
import type { Replica } from '../../engine/replica.ts';
import { requestIdOf } from '../base/checks.ts';
import type { Implementation } from '../base/implementation.ts';
import { requestKey } from '../base/request-key.ts';
import { Violations } from '../base/violations.ts';
import { jobTo } from '../jobs/convert-job.ts';
import { jobNameOf } from '../jobs/job-name.ts';
import { dependenciesFrom } from './convert-dependency.ts';

export function dependencyCalls(replica: Replica): Pick<Implementation<typeof JobService>, 'addDependencies'> {
  return {
    async addDependencies(request, context) {
      const violations = new Violations();
      const requestId = requestIdOf(request.requestId, violations);
      const found = dependenciesFrom(request.dependsOn, 'depends_on', violations);
      violations.check(found !== undefined, 'depends_on', 'is missing: at least one is needed');
      const { namespace, jobId } = jobNameOf(request, violations);
      const key = requestKey('AddDependencies', requestId, context.body);
      const job = await replica.dependencies.add({ namespace, jobId, dependencies: found ?? [] }, key);
      return create(AddDependenciesResponseSchema, { job: jobTo(job) });
    },
  };
}
