import NIOCore
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// One open file, closed with its last owner; system errors become `BlobError`s that name the path.
///
/// All calls block: they belong on `NIOThreadPool`, never on an event loop.
final class DiskFile: Sendable {
    let path: String
    private let descriptor: CInt

    private init(path: String, descriptor: CInt) {
        self.path = path
        self.descriptor = descriptor
    }

    deinit { _ = close(descriptor) }

    /// - Returns: nil if there is no such file.
    static func reading(_ path: String) throws(BlobError) -> DiskFile? {
        let descriptor = retrying { open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW) }
        guard descriptor < 0 else { return DiskFile(path: path, descriptor: descriptor) }
        guard errno == ENOENT else { throw .now("open", path) }
        return nil
    }

    /// Makes a new file for reading and writing, with a lock that lasts until it is closed: `isAbandoned` reads it.
    ///
    /// - Parameter mode: who may read it, as far as the umask allows.
    /// - Returns: nil if the name is taken, or if a sweep took the file away before it was locked.
    static func creating(_ path: String, mode: mode_t = 0o640) throws(BlobError) -> DiskFile? {
        let descriptor = retrying { open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode) }
        guard descriptor >= 0 else {
            if errno == EEXIST { return nil }
            throw .now("create", path)
        }
        let file = DiskFile(path: path, descriptor: descriptor)
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0, access(path, F_OK) == 0 else { return nil }
        return file
    }

    /// True if nobody holds the lock that `creating` takes: its program is gone.
    var isAbandoned: Bool { flock(descriptor, LOCK_EX | LOCK_NB) == 0 }

    /// By its end, not by `fstat`: NIO's C modules declare a `stat` too, and which one is meant changes with the build.
    func bytes() throws(BlobError) -> Int {
        let end = lseek(descriptor, 0, SEEK_END)
        guard end >= 0 else { throw .now("examine", path) }
        return Int(end)
    }

    func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(BlobError) {
        var rest = bytes
        var place = offset
        while let start = rest.baseAddress, !rest.isEmpty {
            let count = retrying { pwrite(descriptor, start, rest.count, off_t(place)) }
            guard count > 0 else { throw .now("write", path) }
            rest = UnsafeRawBufferPointer(rebasing: rest[count...])
            place += count
        }
    }

    /// - Returns: at most `limit` bytes; empty at the end.
    func read(at offset: Int, limit: Int) throws(BlobError) -> ByteBuffer {
        var buffer = ByteBufferAllocator().buffer(capacity: limit)
        let count = buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: limit) { space in
            max(0, retrying { pread(descriptor, space.baseAddress, limit, off_t(offset)) })
        }
        // A result of -1 was counted as nothing; `errno` tells it from the end of the file.
        if count == 0, limit > 0, try bytes() > offset { throw .now("read", path) }
        return buffer
    }

    func synchronize() throws(BlobError) {
        guard retrying({ fsync(descriptor) }) == 0 else { throw .now("flush", path) }
    }
}

/// What is done to names, not to bytes. Blocking, as `DiskFile`.
enum DiskFolder {
    static func make(_ path: String) throws(BlobError) {
        guard mkdir(path, 0o750) != 0, errno != EEXIST else { return }
        throw .now("create the folder", path)
    }

    /// Makes the folder and those above it that are missing.
    static func makeWithParents(_ path: String) throws(BlobError) {
        if mkdir(path, 0o750) == 0 || errno == EEXIST { return }
        guard errno == ENOENT, let slash = path.lastIndex(of: "/"), slash > path.startIndex else {
            throw .now("create the folder", path)
        }
        try makeWithParents(String(path[..<slash]))
        try make(path)
    }

    /// Makes the names in the folder durable.
    static func synchronize(_ path: String) throws(BlobError) {
        let descriptor = retrying { open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) }
        guard descriptor >= 0 else { throw .now("open the folder", path) }
        defer { _ = close(descriptor) }
        guard retrying({ fsync(descriptor) }) == 0 else { throw .now("flush the folder", path) }
    }

    static func rename(_ old: String, to new: String) throws(BlobError) {
        #if canImport(Glibc)
            let result = Glibc.rename(old, new)
        #elseif canImport(Musl)
            let result = Musl.rename(old, new)
        #else
            let result = Darwin.rename(old, new)
        #endif
        guard result == 0 else { throw .now("rename", old) }
    }

    /// - Returns: false if there was no such file.
    @discardableResult
    static func remove(_ path: String) throws(BlobError) -> Bool {
        guard unlink(path) != 0 else { return true }
        guard errno == ENOENT else { throw .now("remove", path) }
        return false
    }

    /// - Returns: the names in the folder, sorted, without `.` and `..`; none if there is no such folder.
    static func names(in path: String) throws(BlobError) -> [String] {
        guard let folder = opendir(path) else {
            if errno == ENOENT { return [] }
            throw .now("list the folder", path)
        }
        defer { closedir(folder) }
        var names: [String] = []
        while let entry = readdir(folder) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    /// - Returns: nil if there is no such file.
    static func bytes(of path: String) throws(BlobError) -> Int? {
        try DiskFile.reading(path)?.bytes()
    }
}

extension BlobError {
    /// The error that the last system call left in `errno`.
    fileprivate static func now(_ operation: String, _ path: String) -> BlobError {
        let code = errno
        if code == ENOSPC || code == EDQUOT { return .full(path: path) }
        return .failed(operation: operation, path: path, cause: String(cString: strerror(code)))
    }
}

/// Repeats a system call that a signal interrupted.
private func retrying<Result: SignedInteger>(_ call: () -> Result) -> Result {
    while true {
        let result = call()
        if result >= 0 || errno != EINTR { return result }
    }
}
