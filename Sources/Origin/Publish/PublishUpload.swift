import Hummingbird
import NIOCore
import Registry

/// The body of a publish, received: the metadata in memory, the crate file written as a blob that is not yet committed.
struct PublishUpload {
    let metadata: PublishMetadata
    let writer: any BlobWriter

    /// Reads the body in bounded memory.
    ///
    /// - Parameter metadataCheck: called as soon as the metadata is there, long before the rest.
    /// - Throws: whatever the body, the check or the disk objects to; nothing stays behind then.
    static func receive(
        _ body: RequestBody, frame: PublishFrame, into blobs: any BlobStore,
        metadataCheck: (PublishMetadata) throws -> Void
    ) async throws -> PublishUpload {
        var receiver = Receiver(frame: frame, writer: try await blobs.begin())
        do {
            for try await chunk in body { try await receiver.take(chunk, metadataCheck) }
            return try await receiver.finish()
        } catch {
            await receiver.writer.discard()
            throw error
        }
    }

    private struct Receiver {
        var frame: PublishFrame
        let writer: any BlobWriter
        var metadata: PublishMetadata?
        /// Gathered until it is worth a trip to the disk.
        var pending = ByteBuffer()

        mutating func take(_ chunk: ByteBuffer, _ metadataCheck: (PublishMetadata) throws -> Void) async throws {
            let part = try frame.read(chunk.readableBytesView)
            if let json = part.metadata {
                let metadata = try PublishMetadata(parsing: json)
                try metadataCheck(metadata)
                self.metadata = metadata
            }
            guard let crate = part.crate else { return }
            pending.writeBytes(crate)
            guard pending.readableBytes >= BlobPiece.bytesMax else { return }
            try await writer.write(pending)
            pending.clear()
        }

        mutating func finish() async throws -> PublishUpload {
            try frame.finish()
            if pending.readableBytes > 0 { try await writer.write(pending) }
            guard let metadata else { preconditionFailure("a finished frame had its metadata") }
            return PublishUpload(metadata: metadata, writer: writer)
        }
    }
}
