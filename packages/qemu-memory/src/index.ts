export type { AccessMode, Chunk } from './access/chunks.ts';
export type { AccessObserver, RefusalReason } from './access/control.ts';
export { AccessControl, MAX_NESTING } from './access/control.ts';
export { DeviceError } from './access/device-error.ts';
export { Mapping } from './access/mapping.ts';
export { MemoryRegionCache } from './access/memory-region-cache.ts';
export { PinnedView } from './access/pinned-view.ts';
export type { TranslatedSection } from './access/section-helpers.ts';
export {
  addressSpaceGetFlatview,
  addressSpaceLookupSection,
  addressSpaceMemory,
  addressSpaceToFlatview,
  flatviewRef,
  flatviewTranslateSection,
  flatviewUnref,
  sectionAccessAllowed,
  sectionCoversRegionAddr,
  sectionFuzzDmaRead,
  sectionGetHostAddr,
  sectionLoad,
  sectionReadContinueStep,
  sectionStore,
  sectionWriteContinueStep,
  targetIsBigEndian,
} from './access/section-helpers.ts';
export { SectionRegion } from './access/section-region.ts';
export { MAX_IOMMU_CHAIN } from './access/target.ts';
export { ViewAccess } from './access/view-access.ts';
export { DirtyClient } from './dirty/client.ts';
export { DirtyPages } from './dirty/dirty-pages.ts';
export type { DirtyRun } from './dirty/dirty-tracker.ts';
export { copyBlock, DirtyTracker, trackDirty } from './dirty/dirty-tracker.ts';
export type { CodeInvalidator } from './dirty/mark.ts';
export { memoryRegionSetDirty } from './dirty/mark.ts';
export {
  DirtySnapshot,
  memoryRegionGetDirty,
  memoryRegionResetDirty,
  memoryRegionSnapshotAndClearDirty,
  setDirtyLebitmap,
} from './dirty/snapshot.ts';
export type { IommuEvent, IommuNotifier } from './iommu/iommu-notifier.ts';
export { IommuNotifierFlag } from './iommu/iommu-notifier.ts';
export type { IommuMemoryRegionOps, IommuTlbEntry } from './iommu/iommu-ops.ts';
export { IommuAccess } from './iommu/iommu-ops.ts';
export { IommuRegion, notifyOne, unmapNotifierRange } from './iommu/iommu-region.ts';
export type { PageIommuOptions, PageTranslation, PageWalk } from './iommu/page-iommu.ts';
export { iotlbWalk, PageIommu } from './iommu/page-iommu.ts';
export type { BuildMapOptions, BuiltMap } from './map/build.ts';
export { buildMap } from './map/build.ts';
export { captureMap, renderMap } from './map/capture.ts';
export { checkMap } from './map/check-map.ts';
export type { DiffRange, DiffSpace, DiffState, MapDiff } from './map/diff.ts';
export { describeDiff, diffFlatDumps } from './map/diff.ts';
export { diffMaps, mapFlatDump } from './map/diff-maps.ts';
export type { ExplainHit, ExplainStep, Explanation, HiddenHit } from './map/explain.ts';
export { describeExplanation, explainAddress } from './map/explain.ts';
export { parseMap, printMap } from './map/map-text.ts';
export type {
  MapAddress,
  MapRange,
  MapRegion,
  MapRegionKind,
  MapSpace,
  MapView,
  MemoryMap,
} from './map/memory-map.ts';
export { MEMORY_MAP_VERSION } from './map/memory-map.ts';
export { NamedOwner } from './map/owner.ts';
export type { FlatComparison } from './mtree/compare.ts';
export { compareFlatDumps } from './mtree/compare.ts';
export { countEqualRanges } from './mtree/count-ranges.ts';
export type { DispatchDump, DispatchRun, DispatchSection } from './mtree/dispatch-dump.ts';
export { dispatchMap } from './mtree/dispatch-map.ts';
export type { MtreeErrorCode } from './mtree/error.ts';
export { MtreeError } from './mtree/error.ts';
export type { MtreeFacts, MtreeGuesses, SiblingGuess } from './mtree/facts.ts';
export { checkFacts } from './mtree/facts.ts';
export type { FlatDump, FlatDumpRange, FlatDumpSpace, FlatDumpView } from './mtree/flat-dump.ts';
export { isFlatDump, parseFlatDump, printFlatDump } from './mtree/flat-dump.ts';
export type { FlatDumpOptions } from './mtree/flat-text.ts';
export { flatDump } from './mtree/flat-text.ts';
export { inferFacts } from './mtree/infer.ts';
export type { MtreeType } from './mtree/line.ts';
export type { ParseMtreeOptions } from './mtree/parse-mtree.ts';
export { parseMtree } from './mtree/parse-mtree.ts';
export type { PrintMtreeOptions } from './mtree/print-mtree.ts';
export { printMtree } from './mtree/print-mtree.ts';
export type { MtreeStyle } from './mtree/region-text.ts';
export { mtreeStyle } from './mtree/region-text.ts';
export { isTreeDump } from './mtree/tree-dump.ts';
export type { RcuErrorCode } from './rcu/error.ts';
export { RcuError } from './rcu/error.ts';
export type { ReaderFaults } from './rcu/faulty-reader.ts';
export type { RemoteReaders } from './rcu/local-rcu.ts';
export { LocalRcu } from './rcu/local-rcu.ts';
export type { Rcu, RcuGuard, RcuReadSide } from './rcu/rcu.ts';
export type { DomainFaults } from './rcu/shared-domain.ts';
export { RcuDomain } from './rcu/shared-domain.ts';
export type { RcuFlavour } from './rcu/shared-rcu.ts';
export { SharedRcu } from './rcu/shared-rcu.ts';
export type { MemoryRegionErrorCode } from './region/error.ts';
export { MemoryRegionError } from './region/error.ts';
export type { EventNotifier, IoEventFd } from './region/event-fd.ts';
export { RegionKind } from './region/kind.ts';
export { LogClient } from './region/log-client.ts';
export { MemoryRegion } from './region/memory-region.ts';
export type { AccessSizes, DeviceEndianness, Halves, MemoryRegionOps, ValidAccess } from './region/ops.ts';
export type { RamBlockOptions, RamSource } from './region/ram-block.ts';
export { RamBlock } from './region/ram-block.ts';
export type { MemoryRegionInit } from './region/region-init.ts';
export type { CoalescedRange } from './region/signals.ts';
export { AddressSpace } from './space/address-space.ts';
export type { MemoryCoreOptions, RamOptions, RegionOptions } from './space/core-options.ts';
export { GlobalDirty } from './space/dirty-logging.ts';
export type { FoundSection } from './space/find.ts';
export { memoryRegionFind, memoryRegionPresent } from './space/find.ts';
export type { MemoryListener, PlacedEventFd } from './space/listener.ts';
export { MemoryCore } from './space/memory-core.ts';
export { SystemSpaces } from './space/system-spaces.ts';
export type { TapEvent, TapOptions } from './taps/tap-list.ts';
export type { FlatRange } from './view/flat-range.ts';
export type { RangeVisitor } from './view/flat-view.ts';
export { FlatView } from './view/flat-view.ts';
export { MemoryRegionSection } from './view/section.ts';
export type { AttachFaults, AttachOptions } from './worker/attach-options.ts';
export type { AttachedSpace } from './worker/attached-space.ts';
export { attach } from './worker/attached-space.ts';
export { AttachedView } from './worker/attached-view.ts';
export type { WorkerErrorCode } from './worker/error.ts';
export { WorkerError } from './worker/error.ts';
export type { EvictEvent } from './worker/evictions.ts';
export type { NewsPort, SharedBlock, SharedSegment, SharedSpaceHandle, SharedSpaceNews } from './worker/handle.ts';
export { isSharedSpaceNews } from './worker/handle.ts';
export type { ServeOptions, SharedSpaceStats, ShareFaults, ShareOptions } from './worker/shared-space.ts';
export { SharedSpace } from './worker/shared-space.ts';
