import Crypto
import FoundationEssentials

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Where the parts of an embedded cluster lie.
///
/// | path         | holds                                                                  |
/// |--------------|------------------------------------------------------------------------|
/// | `data/`      | the cluster; appears whole, by a rename after `initdb`                  |
/// | `socket/`    | the unix socket, unless the path is too long for one                   |
/// | `log`        | what the server says; `log.1` is the one before                        |
/// | `owner.lock` | locked by the program that runs the server, freed by the kernel if it dies |
struct EmbeddedClusterFolder: Sendable {
    // sun_path holds 108 bytes with its final zero; PostgreSQL adds this name.
    private static let socketPathBytesMax = 107
    private static let socketName = "/.s.PGSQL.5432"

    let path: String
    let socketFolder: String
    let user: EmbeddedClusterUser

    var data: String { "\(path)/data" }
    var log: String { "\(path)/log" }
    var lock: String { "\(path)/owner.lock" }

    /// Finds or makes the folder.
    ///
    /// - Parameter path: relative to the working directory, or absolute.
    init(_ path: String) throws(EmbeddedClusterError) {
        try Self.make(path, 0o755, withParents: true)
        guard let resolved = realpath(path, nil) else { throw .now("find", path) }
        defer { free(resolved) }
        self.path = String(cString: resolved)
        user = try EmbeddedClusterUser.choose(dataOwner: FileFacts("\(self.path)/data")?.owner)
        socketFolder = Self.socketFolder(for: self.path)
        try prepare()
    }

    /// What libpq needs to connect to `database`.
    func connectionString(database: String) -> String {
        let host = socketFolder.reduce(into: "") { $0 += "'\\".contains($1) ? "\\\($1)" : String($1) }
        return "host='\(host)' port=5432 user=longshore dbname=\(database)"
    }

    /// The major version that the data is of; nil if there is no data yet.
    var dataVersion: Int? {
        guard let bytes = FileManager.default.contents(atPath: "\(data)/PG_VERSION") else { return nil }
        return Int(String(decoding: bytes, as: UTF8.self).prefix { $0.isNumber })
    }

    /// The last lines that the server wrote.
    var lastWords: String {
        // The folder belongs to the other user, so links in it are not followed.
        let descriptor = open(log, O_RDONLY | O_NOFOLLOW | O_CLOEXEC)
        guard descriptor >= 0, let file = fdopen(descriptor, "r") else { return "(no log at \(log))" }
        defer { fclose(file) }
        fseek(file, 0, SEEK_END)
        fseek(file, max(0, ftell(file) - 4096), SEEK_SET)
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = fread(&buffer, 1, buffer.count, file)
        return String(decoding: buffer.prefix(count), as: UTF8.self).lastLines(6)
    }

    /// Puts a log that has grown aside, so that two at most exist.
    func rotateLog(bytesMax: Int) {
        if let facts = FileFacts(log), facts.bytes > bytesMax { rename(log, "\(log).1") }
    }

    /// The unix socket's folder: a path that fits, has no comma (a list of folders to PostgreSQL, of hosts to libpq),
    /// and is the same for every program that opens this cluster.
    static func socketFolder(for path: String) -> String {
        let near = "\(path)/socket"
        let fits = near.utf8.count + socketName.utf8.count <= socketPathBytesMax
        if fits, !near.contains(where: { ",\"'\\ ".contains($0) }) { return near }
        let digest = SHA256.hash(data: Array(path.utf8)).prefix(8).map {
            String($0 >> 4, radix: 16) + String($0 & 15, radix: 16)
        }
        return "/tmp/longshore-\(digest.joined())"
    }

    private func prepare() throws(EmbeddedClusterError) {
        if user.isOther { try checkParents() }
        for folder in [path, socketFolder] {
            try Self.make(folder, 0o700, withParents: false)
            guard let facts = FileFacts(folder), facts.isFolder else {
                throw .system(doing: "use", path: folder, reason: "it is not a folder")
            }
            if facts.owner != user.uid {
                // In /tmp a stranger may have been first: only root's own new folder may change hands.
                guard geteuid() == 0, facts.owner == 0 else { throw .wrongOwner(path: folder) }
                guard chown(folder, user.uid, user.gid) == 0 else { throw .now("give away", folder) }
            }
            guard chmod(folder, 0o700) == 0 else { throw .now("protect", folder) }
        }
    }

    private func checkParents() throws(EmbeddedClusterError) {
        var parent = path
        while let slash = parent.lastIndex(of: "/"), parent != "/" {
            parent = slash == parent.startIndex ? "/" : String(parent[..<slash])
            guard let facts = FileFacts(parent), user.mayEnter(facts) else {
                throw .notTraversable(folder: parent, user: user.name)
            }
        }
    }

    private static func make(_ path: String, _ mode: mode_t, withParents: Bool) throws(EmbeddedClusterError) {
        if withParents, let slash = path.lastIndex(of: "/"), slash != path.startIndex, FileFacts(path) == nil {
            try make(String(path[..<slash]), mode, withParents: true)
        }
        guard mkdir(path, mode) == 0 || errno == EEXIST else { throw .now("create", path) }
    }
}

extension EmbeddedClusterError {
    /// The error that the system call before reported.
    static func now(_ doing: String, _ path: String) -> EmbeddedClusterError {
        .system(doing: doing, path: path, reason: String(cString: strerror(errno)))
    }
}
