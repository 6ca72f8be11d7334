import NIOCore
import Registry

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A request's path, cut into what it names without decoding or copying anything.
///
/// Only what we would have written ourselves names something: no `%`, no `//`, no `..`, no upper case in an index
/// path. So cache keys can't be confused (I7), and everything else is a plain 404.
struct EdgePath: Sendable {
    enum Target: Sendable, CaseIterable {
        case config
        case index
        case crate
    }

    /// From `/t/{token}/…`.
    let token: ByteBuffer?
    let repository: ByteBuffer
    let target: Target
    /// The path without the token: the key of the file.
    let key: ByteBuffer

    init?(_ path: ByteBuffer) {
        var rest = path
        var token: ByteBuffer?
        if rest.starts(with: "/t/") {
            rest.moveReaderIndex(forwardBy: 3)
            guard let length = rest.lengthToSlash, let secret = rest.readSlice(length: length) else { return nil }
            token = secret
        }
        let key = rest
        guard rest.readInteger(as: UInt8.self) == Self.slash, let length = rest.lengthToSlash, length > 0,
            let repository = rest.readSlice(length: length)
        else { return nil }
        if rest.isEqual(to: "/index/config.json") {
            target = .config
        } else if rest.starts(with: "/index/") {
            target = .index
        } else if rest.starts(with: "/crates/") {
            target = .crate
        } else {
            return nil
        }
        self.token = token
        self.repository = repository
        self.key = key
    }

    /// The key in a path that is known to name something: the path itself, but for a token in it.
    static func key(of path: ByteBuffer) -> ByteBuffer? { path.starts(with: "/t/") ? EdgePath(path)?.key : path }

    /// The crate that the path speaks of; nil for `config.json` and for what is not canonical.
    var crate: CrateName? {
        let path = String(buffer: key)
        switch target {
        case .config: return nil
        case .index: return Self.index(path).flatMap { try? CrateName($0.1.name) }
        case .crate: return Self.crate(path)?.1.name
        }
    }

    /// The hash that a crate's path ends with. Only for the path of an entry that is held: such a one is canonical, and need
    /// not be read again from its beginning.
    var checksumOfCanonical: Checksum? {
        let digits = 2 * Checksum.bytesCount
        return key.getString(at: key.writerIndex - ".crate".utf8.count - digits, length: digits).flatMap(
            Checksum.init(hex:))
    }

    fileprivate static let slash = UInt8(ascii: "/")

    /// Reads `/{repository}/index/{index path}`; nil unless it is canonical.
    static func index(_ path: String) -> (RepositoryName, IndexPath)? {
        guard let (repository, rest) = split(path, after: "/index/"), let file = IndexPath(parsing: rest) else {
            return nil
        }
        return (repository, file)
    }

    /// Reads `/{repository}/crates/{file}`; nil unless it is canonical but for `%2B`.
    static func crate(_ path: String) -> (RepositoryName, CratePath)? {
        guard let (repository, rest) = split(path, after: "/crates/"), let file = CratePath(parsing: rest) else {
            return nil
        }
        return (repository, file)
    }

    private static func split(_ path: String, after folder: String) -> (RepositoryName, Substring)? {
        let tail = path.dropFirst()
        guard path.utf8.first == slash, let end = tail.firstIndex(of: "/"), tail[end...].hasPrefix(folder),
            let repository = try? RepositoryName(String(tail[..<end]))
        else { return nil }
        return (repository, tail[end...].dropFirst(folder.count))
    }
}

extension ByteBuffer {
    fileprivate func starts(with text: StaticString) -> Bool { withUnsafeReadableBytes { $0.starts(with: text) } }

    fileprivate func isEqual(to text: StaticString) -> Bool {
        readableBytes == text.utf8CodeUnitCount && starts(with: text)
    }

    func isEqual(to other: UnsafeRawBufferPointer) -> Bool {
        withUnsafeReadableBytes { bytes in
            guard bytes.count == other.count, let left = bytes.baseAddress, let right = other.baseAddress else {
                return bytes.isEmpty && other.isEmpty
            }
            return memcmp(left, right, bytes.count) == 0
        }
    }

    fileprivate var lengthToSlash: Int? { withUnsafeReadableBytes { $0.place(of: EdgePath.slash) } }
}

extension UnsafeRawBufferPointer {
    func starts(with text: StaticString) -> Bool {
        guard let base = baseAddress, count >= text.utf8CodeUnitCount else { return text.utf8CodeUnitCount == 0 }
        return memcmp(base, text.utf8Start, text.utf8CodeUnitCount) == 0
    }

    /// Where a byte stands first.
    func place(of byte: UInt8) -> Int? {
        guard let base = baseAddress, let found = memchr(base, Int32(byte), count) else { return nil }
        return UnsafeRawPointer(found) - base
    }
}
