import EdgeCache
import EdgeHTTP
import NIOCore

/// What a connection's last credential came to, so that the same bytes are not hashed for each request again.
///
/// A client keeps its token for all requests of a connection. The bytes live no longer than the connection that sent them.
final class SecretMemo: Sendable {
    let secret: ReaderSecret
    /// Of the token's entry; of nothing that is held if there is no secret.
    let key: CacheKey
    private let sent: ByteBuffer?

    private static let none = SecretMemo(nil)

    private init(_ sent: ByteBuffer?) {
        self.sent = sent
        secret = ReaderSecret(sent)
        if case .secret(let hash) = secret { key = .token(hash) } else { key = CacheKey(path: ByteBuffer()) }
    }

    /// - Parameter memo: the connection's; changed if another credential came.
    static func secret(of path: EdgePath, _ request: EdgeRequest, _ memo: inout EdgeMemo?) -> SecretMemo {
        guard let sent = path.token ?? request.authorization else { return none }
        if let held = memo.map({ unsafeDowncast($0, to: SecretMemo.self) }), held.sent == sent { return held }
        // A copy: a slice would keep everything that came with it.
        let made = SecretMemo(ByteBuffer(bytes: sent.readableBytesView))
        memo = made
        return made
    }
}
