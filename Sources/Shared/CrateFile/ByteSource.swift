import Crypto
import Registry

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// A stream of bytes that its reader pulls, one buffer at a time, so that memory never grows with the stream.
package protocol ByteSource {
    /// Fills the front of `buffer`, which is not empty.
    ///
    /// - Returns: how many bytes were written; fewer than asked for is usual, 0 means that the stream has ended.
    mutating func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int
}

/// A file on disk, read from where its descriptor stands.
package final class FileSource: ByteSource {
    /// The size when the file was opened, in bytes.
    package let bytesCount: Int
    private let descriptor: Int32
    private let path: String

    /// - Throws: `FileFailure` if the file cannot be opened.
    package init(path: String) throws(FileFailure) {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw FileFailure(doing: "open", path: path, code: errno) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else {
            let code = errno
            close(descriptor)
            throw FileFailure(doing: "look at", path: path, code: code)
        }
        self.descriptor = descriptor
        self.path = path
        bytesCount = Int(status.st_size)
    }

    deinit { close(descriptor) }

    /// One `read` of the system, again if a signal came between. Throws `FileFailure`.
    package func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        while true {
            #if canImport(Glibc)
                let count = Glibc.read(descriptor, buffer.baseAddress, buffer.count)
            #elseif canImport(Musl)
                let count = Musl.read(descriptor, buffer.baseAddress, buffer.count)
            #else
                let count = Darwin.read(descriptor, buffer.baseAddress, buffer.count)
            #endif
            if count >= 0 { return count }
            guard errno == EINTR else { throw FileFailure(doing: "read", path: path, code: errno) }
        }
    }
}

/// Bytes that are in memory already.
package struct BytesSource: ByteSource {
    private var rest: ArraySlice<UInt8>
    private let chunkBytesMax: Int

    /// - Parameter chunkBytesMax: at most so many bytes a read; tests set it low, to cut the stream at odd places.
    package init(_ bytes: [UInt8], chunkBytesMax: Int = .max) {
        rest = bytes[...]
        self.chunkBytesMax = chunkBytesMax
    }

    /// Copies the next bytes; never throws.
    package mutating func read(into buffer: UnsafeMutableRawBufferPointer) -> Int {
        let part = rest.prefix(min(buffer.count, chunkBytesMax))
        buffer.copyBytes(from: part)
        rest = rest.dropFirst(part.count)
        return part.count
    }
}

/// Passes a stream on and takes its SHA-256 and its length on the way.
final class HashingSource<Source: ByteSource>: ByteSource {
    private(set) var bytesRead = 0
    private var source: Source
    private var hasher = SHA256()

    init(_ source: Source) { self.source = source }

    /// Of all that was read up to now.
    var checksum: Checksum {
        guard let checksum = Checksum(bytes: hasher.finalize()) else {
            preconditionFailure("a SHA-256 has 32 bytes")
        }
        return checksum
    }

    func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        let count = try source.read(into: buffer)
        hasher.update(bufferPointer: UnsafeRawBufferPointer(rebasing: buffer[..<count]))
        bytesRead += count
        return count
    }
}

/// Passes a stream on until its reader is told to stop.
struct CancellableSource<Source: ByteSource>: ByteSource {
    var source: Source
    let isCancelled: () -> Bool

    /// - Throws: `CancellationError` once `isCancelled` says so.
    mutating func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        if isCancelled() { throw CancellationError() }
        return try source.read(into: buffer)
    }
}

/// The disk refused; says nothing about the crate.
package struct FileFailure: Error, CustomStringConvertible {
    package let doing: String
    package let path: String
    /// The system's `errno`.
    package let code: Int32

    package var description: String { "could not \(doing) \(path): \(String(cString: strerror(code)))" }
}
