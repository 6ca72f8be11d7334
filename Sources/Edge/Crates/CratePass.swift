import Crypto
import EdgeCache
import NIOCore
import Registry

/// The origin's word on one download: it belongs to the repository, or policy forbids it.
final class CratePass: Sendable {
    /// Why nobody may have it.
    struct Block: Hashable, Sendable {
        /// One sentence for the person who runs cargo.
        var reason: String
        /// The rule's name, for the audit log; nil from an origin that does not say.
        var rule: String?
    }

    /// Nil: it may be downloaded.
    let block: Block?

    init(_ block: Block?) { self.block = block }

    /// - Parameter saved: a value's body; empty if it may be downloaded, else the reason and on a line of its own the rule.
    init(saved: ByteBuffer) {
        let lines = String(buffer: saved).split(separator: "\n", maxSplits: 1).map(String.init)
        block = lines.first.map { Block(reason: $0, rule: lines.count > 1 ? lines[1] : nil) }
    }

    func value(group: CacheGroup?) -> CachedValue {
        let lines = [block?.reason, block?.rule].compactMap(\.self)
        return CachedValue(payload: self, body: ByteBuffer(string: lines.joined(separator: "\n")), group: group)
    }
}

extension Checksum {
    init(of bytes: ByteBuffer) {
        let digest = bytes.withUnsafeReadableBytes { bytes in
            var hasher = SHA256()
            hasher.update(bufferPointer: bytes)
            return hasher.finalize()
        }
        guard let checksum = Checksum(bytes: digest) else { preconditionFailure("SHA-256 has 32 bytes") }
        self = checksum
    }
}
