import NIOCore
import Registry
import Signing

/// The secret with which a reader comes: in the `authorization` header, or in the path (`/t/{token}/…`, from cargo
/// before 1.74, which can't send one on its own). The path wins.
///
/// Source: docs/PROTOCOL.md, D2 and D10.
enum ReaderSecret: Sendable, Equatable {
    /// No secret that we can have handed out to a reader.
    case malformed
    /// The hash by which origin and edges know it.
    case secret(Checksum)

    /// - Parameter sent: the path's, or else the header's value.
    init(_ sent: ByteBuffer) {
        guard sent.readableBytes <= Credential.bytesMax,
            case .secret(let token) = Credential(authorization: String(buffer: sent)), token.kind == .token
        else {
            self = .malformed
            return
        }
        self = .secret(token.hash)
    }
}
