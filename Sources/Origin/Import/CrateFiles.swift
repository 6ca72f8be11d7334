import Registry

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// The `.crate` files below a folder, known by their names: `…/NAME-VERSION.crate` or `…/NAME/VERSION/….crate`.
struct CrateFiles: Sendable {
    struct File: Sendable {
        let name: CrateName
        let version: Version
        let path: String
    }

    private static let depthMax = 16

    /// By the lower-case name of the crate; in the order of their paths.
    private(set) var files: [String: [File]] = [:]
    /// Files that end in `.crate` and name no version.
    private(set) var strangers: [String] = []

    /// Blocks for as long as the walk takes: not for an event loop.
    ///
    /// - Throws: `BlobError` if a folder can't be read.
    init(below folder: String) throws(BlobError) { try add(folder, depth: 0) }

    init() {}

    var count: Int { files.values.reduce(0) { $0 + $1.count } }

    func file(_ name: CrateName, _ version: Version) -> File? {
        files[name.lowered]?.first { $0.version == version && $0.name == name }
    }

    private mutating func add(_ folder: String, depth: Int) throws(BlobError) {
        for name in try DiskFolder.names(in: folder) {
            let path = "\(folder)/\(name)"
            if FileKind.isFolder(path) {
                // A tree that is deeper than any layout of crates is a loop of symbolic links.
                if depth < Self.depthMax, name != ".git" { try add(path, depth: depth + 1) }
            } else if name.hasSuffix(".crate") {
                note(path)
            }
        }
    }

    private mutating func note(_ path: String) {
        guard let (name, version) = Self.identity(of: path) else { return strangers.append(path) }
        files[name.lowered, default: []].append(File(name: name, version: version, path: path))
    }

    /// What a path says of its file.
    ///
    /// A name holds no dot, so the first hyphen behind which a version begins is the right one.
    static func identity(of path: String) -> (CrateName, Version)? {
        let parts = path.split(separator: "/")
        guard let stem = parts.last?.dropLast(".crate".count) else { return nil }
        for hyphen in stem.indices where stem[hyphen] == "-" {
            if let version = try? Version(String(stem[stem.index(after: hyphen)...])),
                let name = try? CrateName(String(stem[..<hyphen]))
            {
                return (name, version)
            }
        }
        guard parts.count >= 3, let name = try? CrateName(String(parts[parts.count - 3])),
            let version = try? Version(String(parts[parts.count - 2]))
        else { return nil }
        return (name, version)
    }
}

/// The index files below a folder in sparse layout.
enum IndexFolder {
    /// - Returns: the lower-case names of the crates, in the order of their paths.
    static func names(below folder: String) throws(BlobError) -> [CrateName] {
        var names: [CrateName] = []
        try add("", below: folder, to: &names)
        return names
    }

    private static func add(
        _ inner: String, below folder: String, to names: inout [CrateName]
    ) throws(BlobError) {
        for name in try DiskFolder.names(in: folder + inner) {
            let path = "\(inner)/\(name)"
            if let found = IndexPath(parsing: path.dropFirst()), !FileKind.isFolder(folder + path) {
                if let crate = try? CrateName(found.name) { names.append(crate) }
            } else if path.utf8.filter({ $0 == UInt8(ascii: "/") }).count < 3, FileKind.isFolder(folder + path) {
                try add(path, below: folder, to: &names)
            }
        }
    }
}

/// What stands behind a path; symbolic links are followed.
enum FileKind {
    /// Only a folder has a `.` in it. (`stat` is declared by NIO's C modules too: which is meant changes with the build.)
    static func isFolder(_ path: String) -> Bool { access(path + "/.", F_OK) == 0 }
}
