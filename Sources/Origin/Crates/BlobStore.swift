package import NIOCore
package import Registry

/// Where `.crate` files lie: bytes named by their SHA-256, put once, never changed.
///
/// The order that keeps I1: begin, write, `commit` (durable from here on), and only then the transaction that names the
/// blob. A crash between the two leaves a blob that nothing names, which is harmless. Two backends were foreseen from
/// the start (a folder, S3), so every backend passes the suite `BlobStoreContract`.
package protocol BlobStore: Sendable {
    /// Starts a blob whose checksum is not known yet.
    ///
    /// - Throws: `BlobError`; `full` when there is no room.
    func begin() async throws -> any BlobWriter

    /// Makes many blobs durable, each as by its own `commit`, in less time than one after the other.
    ///
    /// - Parameter drafts: of this store, none of them committed. After an error any of them may be.
    func commit(_ drafts: [BlobDraft]) async throws

    /// - Returns: nil if there is no such blob. The reader sees the whole blob even if it is deleted meanwhile.
    func open(_ checksum: Checksum) async throws -> (any BlobReader)?

    /// - Returns: bytes; nil if there is no such blob.
    func size(_ checksum: Checksum) async throws -> Int?

    /// - Returns: false if there was no such blob.
    func delete(_ checksum: Checksum) async throws -> Bool

    /// One page of all blobs, in the order of their checksums.
    ///
    /// - Parameter limit: at most this many; fewer than asked for means that the end is reached.
    func list(after last: Checksum?, limit: Int) async throws -> [Checksum]
}

extension BlobStore {
    /// One after the other, for stores that can do no better.
    package func commit(_ drafts: [BlobDraft]) async throws {
        for draft in drafts { try await draft.writer.commit(draft.checksum) }
    }

    /// Whether the blob is stored, complete.
    package func contains(_ checksum: Checksum) async throws -> Bool { try await size(checksum) != nil }
}

/// A blob on its way in. Used by one task; dropped without `commit`, it leaves nothing behind.
package protocol BlobWriter: Sendable {
    func write(_ bytes: ByteBuffer) async throws

    /// What has been written so far, hashed on the way.
    var written: BlobDigest { get }

    /// A local file that holds what has been written so far, for whoever must look at it before it is a blob.
    var draftPath: String { get }

    /// Makes the blob durable under its checksum; when this returns it survives a power cut.
    ///
    /// A blob that is there already stays or is replaced by the same bytes.
    /// - Throws: `BlobError.checksumDiffers` if the bytes have another checksum than `expected`.
    func commit(_ expected: Checksum) async throws

    /// Removes what was written; does nothing after `commit`.
    func discard() async
}

/// A blob that is written whole and waits for its name.
package struct BlobDraft: Sendable {
    package let writer: any BlobWriter
    /// What its bytes should have.
    package let checksum: Checksum

    package init(writer: any BlobWriter, checksum: Checksum) {
        self.writer = writer
        self.checksum = checksum
    }
}

/// The bytes of one blob in order, in bounded pieces.
package protocol BlobReader: Sendable {
    /// Of the whole blob.
    var bytes: Int { get }

    /// - Returns: the next piece, 1...`BlobPiece.bytesMax` bytes; nil at the end.
    func next() async throws -> ByteBuffer?
}

/// How much of a blob is read or written at once.
package enum BlobPiece {
    package static let bytesMax = 128 << 10
}

/// What was written: the blob's name and its size.
package struct BlobDigest: Hashable, Sendable {
    package let checksum: Checksum
    package let bytes: Int

    package init(checksum: Checksum, bytes: Int) {
        self.checksum = checksum
        self.bytes = bytes
    }
}

/// Why a blob can't be stored or read. Paths stand in the log only.
package enum BlobError: Error, Equatable, CustomStringConvertible {
    /// The disk, the quota or the bucket has no room.
    case full(path: String)
    case checksumDiffers(expected: Checksum, found: Checksum)
    /// - Parameter cause: what the operating system says.
    case failed(operation: String, path: String, cause: String)

    package var description: String {
        switch self {
        case .full(let path): "no room left to write \(path)"
        case .checksumDiffers(let expected, let found): "the blob should be \(expected) but its bytes are \(found)"
        case .failed(let operation, let path, let cause): "cannot \(operation) \(path): \(cause)"
        }
    }
}
