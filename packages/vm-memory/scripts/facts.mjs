/**
 * The unit tests of rust-vmm's vm-memory 0.18 by module, 144 in all, and why some have no counterpart here. Whatever is
 * not in NO_COUNTERPART has to be the title of a test (conformance-table.mjs).
 */

/** Module -> names. */
export const FACTS = {
  address:
    'test_new test_equals test_cmp test_default test_offset_from test_checked_align_up test_checked_align_up_invalid test_unchecked_align_up test_mask test_bit_and test_bit_or test_add test_sub',
  atomic: 'test_atomic_memory test_clone_guard test_atomic_hotplug',
  atomic_integer: 'test_atomic_integer_ops',
  bitmap:
    'test_bitmap_basic test_bitmap_reset test_bitmap_out_of_range test_bitmap_impl test_bitmap_enlarge test_slice',
  bytes: 'test_byte_valued test_byte_valued_zeroed byte_valued_slice test_byte_valued_io test_bytes',
  endian: 'test_le16 test_le32 test_le64 test_lesize test_be16 test_be32 test_be64 test_besize',
  guest_memory:
    'test_file_offset checked_read_from test_non_atomic_access test_zero_length_accesses test_atomic_accesses test_guest_memory_mmap_is_hugetlbfs test_perm_and test_perm_or test_perm_has_write',
  io: 'test_read_volatile test_write_volatile test_read_volatile_for_cursor test_write_volatile_for_cursor test_write_volatile_for_vec',
  iommu:
    'test_iotlb_merge test_iotlb_nomerge_same_phys test_iotlb_perms test_iotlb_invalidation test_iommu_memory_pre_mapped test_iommu_memory_live_mapped test_mem_replace test_dirty_bitmap',
  'mmap/mod':
    'basic_map slice_addr mapped_file_read test_deref test_to_region_addr test_get_host_address test_check_range test_read_u64 write_and_read read_to_and_write_from_mem test_access_cross_boundary test_retrieve_fd_backing_memory_region test_retrieve_offset_from_fd_backing_memory_region test_guest_memory_mmap_get_slice test_guest_memory_mmap_as_volatile_slice test_guest_memory_get_slice test_guest_memory_get_slices test_atomic_accesses test_dirty_tracking test_change_region_addr',
  'mmap/unix':
    'test_mmap_region_new test_mmap_region_set_hugetlbfs test_mmap_region_from_file test_mmap_region_build test_mmap_region_build_raw test_mmap_region_fds_overlap test_dirty_tracking',
  'mmap/windows': 'map_invalid_handle test_dirty_tracking',
  'mmap/xen': '1 2 3 4 5 6 7',
  region:
    'test_no_memory_region test_overlapping_memory_regions test_unsorted_memory_regions test_valid_memory_regions test_mmap_insert_region test_mmap_remove_region test_iter test_address_in_range test_check_address test_checked_offset',
  volatile_memory:
    'test_compute_end_offset alignment misaligned_ref misaligned_atomic atomic_store atomic_load ref_store ref_load ref_to_slice slice_store observe_mutate mem_is_empty slice_len slice_subslice slice_offset split_at slice_copy_to_u8 slice_copy_to_u16 slice_copy_from_u8 slice_copy_from_u16 slice_copy_to_volatile_slice slice_overflow_error slice_oob_error ref_overflow_error ref_oob_error ref_oob_too_large test_write_past_end slice_read_and_write obj_read_and_write mem_read_and_write unaligned_read_and_write test_read_from_exceeds_size ref_array_from_slice ref_array_store ref_array_load ref_array_overflow test_atomic_accesses test_volatile_slice_dirty_tracking test_volatile_ref_dirty_tracking test_volatile_array_ref_dirty_tracking',
};

/** `module::name` -> one sentence. */
export const NO_COUNTERPART = {
  'guest_memory::test_guest_memory_mmap_is_hugetlbfs':
    'the engine allocates buffers; a program cannot ask for huge pages',
  'mmap/unix::test_mmap_region_set_hugetlbfs': 'the engine allocates buffers; a program cannot ask for huge pages',
  'mmap/unix::test_mmap_region_from_file':
    'JavaScript maps no files; files are loaded and saved by streaming (stream.test.ts, V-1.10), and FileOffset says which part a region stands for',
  'mmap/unix::test_mmap_region_build': 'there are no mmap flags or page-aligned file offsets to check',
  'mmap/unix::test_mmap_region_fds_overlap':
    'regions have no file descriptors; two regions share memory by sharing a Backing, which can be compared by identity',
  'mmap/windows::map_invalid_handle': 'there are no handles of the operating system',
  'mmap/windows::test_dirty_tracking':
    'there is one implementation for all systems: see mmap/mod::test_dirty_tracking and mmap/unix::test_dirty_tracking',
  'volatile_memory::alignment':
    'the helper computes the alignment of a pointer, to choose the width of copies; a byte offset in a buffer takes its place (small-copy.ts)',
  ...Object.fromEntries(
    [1, 2, 3, 4, 5, 6, 7].map((n) => [
      `mmap/xen::${n}`,
      'JavaScript cannot map memory of another Xen domain; the seven tests check flags of such mappings',
    ]),
  ),
};
