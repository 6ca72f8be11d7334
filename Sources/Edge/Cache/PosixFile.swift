import Glibc
import NIOCore

/// The few calls on files that the blob folder needs; all of them block.
enum PosixFile {
    /// What the system refused, in its own words.
    struct Failure: Error, CustomStringConvertible {
        let action: String
        let path: String
        let code: Int32

        var isMissing: Bool { code == ENOENT }
        var description: String { "can't \(action) \(path): \(String(cString: strerror(code)))" }
    }

    static func makeFolder(_ path: String) throws(Failure) {
        guard mkdir(path, 0o750) != 0, errno != EEXIST else { return }
        throw Failure(action: "make the folder", path: path, code: errno)
    }

    /// Makes the folder and those above it.
    static func makeFolders(_ path: String) throws(Failure) {
        let parts = path.split(separator: "/", omittingEmptySubsequences: true)
        var folder = path.hasPrefix("/") ? "" : "."
        for part in parts {
            folder += "/" + part
            try makeFolder(folder)
        }
    }

    static func create(_ path: String) throws(Failure) -> Int32 {
        try descriptor(open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o640), "create", path)
    }

    static func openToRead(_ path: String) throws(Failure) -> Int32 {
        try descriptor(open(path, O_RDONLY | O_CLOEXEC), "open", path)
    }

    /// Makes the file if it is missing; follows no link.
    static func openToWrite(_ path: String) throws(Failure) -> Int32 {
        try descriptor(open(path, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0o640), "open", path)
    }

    /// Locks the whole file until its descriptor is closed; waits half a second for somebody who is just letting go of it.
    ///
    /// - Returns: false if somebody else has the lock.
    static func lock(_ file: Int32, path: String) throws(Failure) -> Bool {
        for attempt in 1... {
            if flock(file, LOCK_EX | LOCK_NB) == 0 { return true }
            guard errno == EWOULDBLOCK else { throw Failure(action: "lock", path: path, code: errno) }
            if attempt == 10 { break }
            usleep(50_000)
        }
        return false
    }

    static func write(_ bytes: ByteBuffer, to file: Int32, path: String) throws(Failure) {
        var rest = bytes
        while rest.readableBytes > 0 {
            let count = rest.withUnsafeReadableBytes { Glibc.write(file, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw Failure(action: "write", path: path, code: errno) }
            rest.moveReaderIndex(forwardBy: count)
        }
    }

    /// - Returns: how many bytes were read; 0 at the end.
    static func read(_ file: Int32, into buffer: UnsafeMutableRawBufferPointer, path: String) throws(Failure) -> Int {
        while true {
            let count = Glibc.read(file, buffer.baseAddress, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw Failure(action: "read", path: path, code: errno) }
            return count
        }
    }

    static func sync(_ file: Int32, path: String) throws(Failure) {
        guard fsync(file) == 0 else { throw Failure(action: "sync", path: path, code: errno) }
    }

    /// A name is durable only when its folder is.
    static func syncFolder(_ path: String) throws(Failure) {
        let folder = try descriptor(open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), "open", path)
        defer { close(folder) }
        try sync(folder, path: path)
    }

    /// Nothing can be done about a failure, and the number is free again even then.
    static func close(_ file: Int32) { _ = Glibc.close(file) }

    static func rename(_ old: String, to new: String) throws(Failure) {
        guard Glibc.rename(old, new) == 0 else { throw Failure(action: "rename to \(new)", path: old, code: errno) }
    }

    /// A file that is already gone is no failure.
    static func remove(_ path: String) throws(Failure) {
        guard unlink(path) != 0, errno != ENOENT else { return }
        throw Failure(action: "remove", path: path, code: errno)
    }

    static func size(_ path: String) -> Int? {
        var info = stat()
        guard lstat(path, &info) == 0, info.st_mode & S_IFMT == S_IFREG else { return nil }
        return Int(info.st_size)
    }

    /// Names in a folder without `.` and `..`.
    static func list(_ path: String) throws(Failure) -> [String] {
        guard let folder = opendir(path) else { throw Failure(action: "list", path: path, code: errno) }
        defer { closedir(folder) }
        var names: [String] = []
        while let entry = readdir(folder) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names
    }

    private static func descriptor(_ number: Int32, _ action: String, _ path: String) throws(Failure) -> Int32 {
        guard number >= 0 else { throw Failure(action: action, path: path, code: errno) }
        return number
    }
}
