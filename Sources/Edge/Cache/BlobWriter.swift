import Crypto
package import NIOCore
import NIOPosix
import Registry

/// One blob on its way to disk: temporary file, hash, fsync, rename, fsync of the folder.
///
/// Ends with `finish` or `discard`; until then its bytes count against the disk limit.
package actor BlobWriter {
    private let checksum: Checksum
    private let layout: DiskLayout
    private let path: String
    private let folder: BlobFolder
    private let now: @Sendable () -> Int
    private var file: Int32?
    private var hasher = SHA256()
    private var bytes = 0

    init(
        _ checksum: Checksum, layout: DiskLayout, path: String, folder: BlobFolder, now: @escaping @Sendable () -> Int
    ) throws {
        self.checksum = checksum
        self.layout = layout
        self.path = path
        self.folder = folder
        self.now = now
        file = try PosixFile.create(path)
    }

    /// - Throws: `BlobFolder.Failure.full`, or what the system said.
    package func write(_ chunk: ByteBuffer) throws {
        guard let file else { preconditionFailure("a finished blob takes no more bytes") }
        try folder.reserve(chunk.readableBytes, at: now())
        bytes += chunk.readableBytes
        chunk.withUnsafeReadableBytes { hasher.update(bufferPointer: $0) }
        // A few pages into the page cache; what may take long is the fsync, which runs elsewhere.
        try PosixFile.write(chunk, to: file, path: path)
    }

    /// - Throws: `wrongChecksum` if the bytes are not those that were asked for; nothing is kept then.
    package func finish() async throws -> HeldBlob {
        guard let file, let found = Checksum(bytes: hasher.finalize()) else {
            preconditionFailure("a blob is finished once")
        }
        guard found == checksum else {
            discard()
            throw BlobFolder.Failure.wrongChecksum(expected: checksum, found: found)
        }
        self.file = nil
        do {
            try await settle(file)
        } catch {
            abandon()
            throw error
        }
        return folder.keep(checksum, bytes: bytes, at: now())
    }

    /// Gives the room and the file back; nothing of the blob stays.
    package func discard() {
        guard let file else { return }
        PosixFile.close(file)
        self.file = nil
        abandon()
    }

    private func abandon() {
        folder.release(bytes)
        // The name is never used again, and the next start empties the folder.
        try? PosixFile.remove(path)
    }

    private func settle(_ file: Int32) async throws {
        let (path, layout, checksum) = (path, layout, checksum)
        try await NIOThreadPool.singleton.runIfActive {
            defer { PosixFile.close(file) }
            try PosixFile.sync(file, path: path)
            try PosixFile.makeFolders(layout.folder(of: checksum))
            try PosixFile.rename(path, to: layout.blob(checksum))
            try PosixFile.syncFolder(layout.folder(of: checksum))
        }
    }
}
