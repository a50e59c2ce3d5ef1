/** Methods of JobService about dependencies: adding them, and the assets that jobs publish. */
import { create } from '@bufbuild/protobuf';
import {
  AddDependenciesResponseSchema,
  type JobService,
  ListAssetsResponseSchema,
} from '@muster/sdk/gen/muster/v1/job_service_pb';
import type { Replica } from '../../engine/replica.ts';
import { namespaceOf, pageSizeOf, requestIdOf } from '../base/checks.ts';
import type { Implementation } from '../base/implementation.ts';
import { pageToken, positionOf } from '../base/page-token.ts';
import { requestKey } from '../base/request-key.ts';
import { Violations } from '../base/violations.ts';
import { jobTo } from '../jobs/convert-job.ts';
import { jobNameOf } from '../jobs/job-name.ts';
import { assetTo, dependenciesFrom } from './convert-dependency.ts';

type Calls = 'addDependencies' | 'listAssets';

export function dependencyCalls(replica: Replica): Pick<Implementation<typeof JobService>, Calls> {
  return {
    async addDependencies(request, context) {
      const violations = new Violations();
      const requestId = requestIdOf(request.requestId, violations);
      const found = dependenciesFrom(request.dependencies, 'dependencies', violations);
      violations.check(found !== undefined, 'dependencies', 'is missing: at least one is needed');
      const { namespace, jobId } = jobNameOf(request, violations);
      const key = requestKey('AddDependencies', requestId, context.body);
      const job = await replica.dependencies.add({ namespace, jobId, dependencies: found ?? [] }, key);
      return create(AddDependenciesResponseSchema, { job: jobTo(job) });
    },
    async listAssets(request) {
      const violations = new Violations();
      const namespace = namespaceOf(request.namespace, violations);
      const limit = pageSizeOf(request.pageSize, violations);
      const key = await replica.pageTokenKey();
      const list = ['ListAssets', namespace];
      const afterName = positionOf(request.pageToken, key, list, violations) ?? '';
      violations.throwIfAny();
      const { assets, hasMore } = await replica.dependencies.listAssets(namespace, afterName, limit);
      const last = hasMore ? assets.at(-1) : undefined;
      return create(ListAssetsResponseSchema, {
        assets: assets.map(assetTo),
        nextPageToken: last ? pageToken(key, list, last.name) : '',
      });
    },
  };
}
