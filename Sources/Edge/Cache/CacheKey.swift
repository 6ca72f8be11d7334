package import NIOCore
package import Registry

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// What an entry is about. For files it is the public path itself, so that a request's bytes are the key.
///
/// | kind           | bytes                                                |
/// |----------------|------------------------------------------------------|
/// | `index`        | `/{repository}/index/{index path}`                   |
/// | `crate`        | `/{repository}/crates/{name}/{version}/{sha256}.crate` |
/// | `token`        | a zero byte and the 32 bytes of the secret's hash    |
/// | `repositories` | two zero bytes                                       |
/// | `keys`         | three zero bytes                                     |
package struct CacheKey: Hashable, Sendable {
    /// The kinds that the table above lists.
    package enum Kind: Int, Hashable, Sendable { case index, crate, token, repositories, keys }

    package let bytes: ByteBuffer

    /// A path as it came; not canonical ones simply match no entry.
    package init(path: ByteBuffer) { bytes = path }

    /// The key of a crate's index file.
    package static func index(_ repository: RepositoryName, _ path: IndexPath) -> CacheKey {
        CacheKey(path: ByteBuffer(string: "/\(repository)/index/\(path)"))
    }

    /// The key of a `.crate` file.
    package static func crate(_ repository: RepositoryName, _ file: CratePath) -> CacheKey {
        CacheKey(path: ByteBuffer(string: "/\(repository)/crates/\(file)"))
    }

    /// The key of what the origin said of a token.
    package static func token(_ hash: Checksum) -> CacheKey {
        CacheKey(path: ByteBuffer(bytes: [0] + hash.bytes))
    }

    package static let repositories = CacheKey(path: ByteBuffer(bytes: [0, 0]))
    package static let keys = CacheKey(path: ByteBuffer(bytes: [0, 0, 0]))

    /// How the keys of a repository's index files begin.
    static func indexPrefix(of repository: RepositoryName) -> [UInt8] { Array("/\(repository)/index/".utf8) }

    func isEqual(to key: UnsafeRawBufferPointer) -> Bool {
        bytes.withUnsafeReadableBytes { own in
            guard own.count == key.count, let left = own.baseAddress, let right = key.baseAddress else {
                return own.isEmpty && key.isEmpty
            }
            return memcmp(left, right, own.count) == 0
        }
    }

    /// True for every file of `repository`.
    package func isFile(of repository: RepositoryName) -> Bool {
        bytes.readableBytesView.starts(with: "/\(repository)/".utf8)
    }
}

extension CacheKey: CustomStringConvertible {
    /// Fit for logs: a token's hash is not shown.
    package var description: String {
        switch bytes.readableBytesView.first {
        case 0 where bytes.readableBytes == 2: "the list of repositories"
        case 0 where bytes.readableBytes == 3: "the signing keys"
        case 0: "a token"
        default: String(buffer: bytes)
        }
    }
}

/// Entries that one event concerns although it can't spell their keys.
package enum CacheGroup: Hashable, Sendable {
    /// Every download of one version, whatever the spelling and the build metadata.
    case version(RepositoryName, crate: String, version: String)
    /// The token that the origin knows by this id.
    case subject(String)
    /// Secrets that are no token: any token event may make one of them a token.
    case noToken

    /// What a `version` event drops: all that is held of that version.
    package static func version(_ repository: RepositoryName, _ crate: CrateName, _ version: Version) -> CacheGroup {
        .version(repository, crate: crate.lowered, version: version.bare)
    }
}
