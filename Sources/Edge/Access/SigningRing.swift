import EdgeCache
import FoundationEssentials
import NIOCore
import Registry
import Signing

/// The origin's signing keys as the cache holds them.
final class SigningRing: Sendable {
    let ring: KeyRing
    private let json: ByteBuffer

    /// - Parameter json: a `SigningKeyList`, as the origin sent it and the catalogue saves it.
    init?(json: ByteBuffer) {
        guard let list = try? JSONDecoder().decode(SigningKeyList.self, from: Data(json.readableBytesView)),
            let ring = try? KeyRing(list)
        else { return nil }
        self.ring = ring
        self.json = json
    }

    var value: CachedValue { CachedValue(payload: self, body: json) }
}
