import Crypto
import EdgeCache
import NIOCore
import Registry

/// The origin's word on one download: it belongs to the repository, or policy forbids it.
final class CratePass: Sendable {
    /// Nil: it may be downloaded. Otherwise the reason, one sentence for the person who runs cargo.
    let refusal: String?

    init(refusal: String?) { self.refusal = refusal }

    func value(group: CacheGroup?) -> CachedValue {
        CachedValue(payload: self, body: ByteBuffer(string: refusal ?? ""), group: group)
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
