import NIOCore
import NIOPosix

/// The rest of a file on its way to one client, read a chunk ahead on the thread pool.
///
/// Lives on the connection's event loop. At most one read runs at a time, and none starts before the last chunk was
/// taken, so one answer never holds more than one chunk.
final class FileBody {
    private let file: OpenFile
    private let loop: ServerLoop
    private var offset = 0
    private(set) var isReading = false
    private var reserved = 0
    /// What has been read and not yet been taken.
    private(set) var chunk = ByteBuffer()

    init(_ file: OpenFile, loop: ServerLoop) {
        self.file = file
        self.loop = loop
    }

    deinit { loop.shared.fileBytesBuffered.add(-reserved) }

    /// True when every byte has been taken.
    var isFinished: Bool { chunk.readableBytes == 0 && offset == file.bytes && !isReading }
    var bytesLeft: Int { chunk.readableBytes + file.bytes - offset }

    func take(_ count: Int) -> ByteBuffer {
        // Callers take at most what `chunk` holds.
        chunk.readSlice(length: min(count, chunk.readableBytes)) ?? ByteBuffer()
    }

    /// Starts to read the next chunk, unless a read is running, a chunk is held, or nothing is left.
    func readAhead(then arrived: @escaping (Result<Void, any Error>) -> Void) {
        guard !isReading, chunk.readableBytes == 0, offset < file.bytes else { return }
        isReading = true
        let count = reserve()
        let (file, offset, allocator) = (file, offset, loop.allocator)
        let read = loop.shared.threadPool.runIfActive(eventLoop: loop.eventLoop) {
            try file.read(count, at: offset, allocator: allocator)
        }
        read.assumeIsolated().whenComplete { result in
            self.isReading = false
            arrived(result.map { self.keep($0) })
        }
    }

    private func keep(_ bytes: ByteBuffer) {
        chunk = bytes
        offset += bytes.readableBytes
    }

    /// The size of the next chunk; small when the whole server already holds much.
    private func reserve() -> Int {
        let limits = loop.shared.configuration
        loop.shared.fileBytesBuffered.add(-reserved)
        let isTight = loop.shared.fileBytesBuffered.value > limits.fileBufferBytesMax
        reserved = min(isTight ? 16 << 10 : limits.fileChunkBytes, file.bytes - offset)
        loop.shared.fileBytesBuffered.add(reserved)
        return reserved
    }
}
