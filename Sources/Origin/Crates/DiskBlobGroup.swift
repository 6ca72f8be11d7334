import Registry

extension DiskBlobs {
    /// The bytes of several files are flushed at once, which the file system's journal merges, and then each folder once
    /// for all the names in it.
    ///
    /// Not by `syncfs`, which is faster still: it flushes what everybody has written, a database beside the blobs above
    /// all, and on file systems in user space it promises nothing (docs/decisions/0012).
    package func commit(_ drafts: [BlobDraft]) async throws {
        var own: [Placed] = []
        for draft in drafts {
            guard let writer = draft.writer as? DiskBlobWriter else {
                preconditionFailure("drafts are committed by the store that began them")
            }
            try writer.expect(draft.checksum)
            own.append(Placed(writer: writer, checksum: draft.checksum))
        }
        let placed = own
        guard !placed.isEmpty else { return }
        try await forEach(placed, atOnce: Self.flushesAtOnce) { draft in
            try await Self.offLoop { try draft.writer.file.synchronize() }
        }
        try await Self.offLoop { try place(placed) }
    }

    private struct Placed: Sendable {
        let writer: DiskBlobWriter
        let checksum: Checksum
    }

    /// More than any disk here has threads for; the pool's own number is what counts.
    private static let flushesAtOnce = 16

    /// Gives flushed files their names, and makes the names durable.
    private func place(_ drafts: [Placed]) throws(BlobError) {
        let shelves = Set(drafts.map { shelf($0.checksum) })
        for shelf in shelves { try DiskFolder.make(shelf) }
        try DiskFolder.synchronize(folder)
        for draft in drafts { try draft.writer.place(draft.checksum) }
        for shelf in shelves { try DiskFolder.synchronize(shelf) }
    }
}
