/** AssetService: lists the assets that jobs publish. */
import { create } from '@bufbuild/protobuf';
import { type AssetService, ListAssetsResponseSchema } from '@muster-jobs/sdk/gen/muster/v1/asset_service_pb';
import type { Replica } from '../../engine/replica.ts';
import { namespaceOf, pageSizeOf } from '../base/checks.ts';
import type { Implementation } from '../base/implementation.ts';
import { pageToken, positionOf } from '../base/page-token.ts';
import { Violations } from '../base/violations.ts';
import { assetTo } from './convert-dependency.ts';

export function assetService(replica: Replica): Implementation<typeof AssetService> {
  return {
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
