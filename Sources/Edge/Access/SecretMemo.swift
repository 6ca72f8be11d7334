import EdgeCache
import EdgeHTTP
import NIOCore
import Registry

/// What a connection's last credential came to, so that the same bytes are not hashed for each request again.
///
/// A client keeps its token for all requests of a connection. The bytes live no longer than the connection that sent them.
final class SecretMemo: Sendable {
    /// Of the token's entry; nil if the credential can't be one of ours.
    let key: CacheKey?
    /// By which origin and edges know it; nil likewise.
    let hash: Checksum?
    private let sent: ByteBuffer

    private init(_ sent: ByteBuffer) {
        self.sent = sent
        if case .secret(let hash) = ReaderSecret(sent) { self.hash = hash } else { hash = nil }
        key = hash.map { .token($0) }
    }

    /// - Parameter memo: the connection's; changed if another credential came.
    /// - Returns: nil if the request has no credential.
    static func secret(of path: EdgePath, _ request: EdgeRequest, _ memo: inout EdgeMemo?) -> SecretMemo? {
        guard let sent = path.token ?? request.authorization else { return nil }
        if let held = memo.map({ unsafeDowncast($0, to: SecretMemo.self) }), held.sent == sent { return held }
        // A copy: a slice would keep everything that came with it.
        let made = SecretMemo(ByteBuffer(bytes: sent.readableBytesView))
        memo = made
        return made
    }
}
