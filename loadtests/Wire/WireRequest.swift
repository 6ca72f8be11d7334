import NIOCore

/// A request as it goes out; the connection adds `host` or `:authority` only.
struct WireRequest: Sendable {
    var method = "GET"
    /// With its query.
    var path: String
    /// Names in lower case, in the order in which they are sent.
    var fields: [(name: String, value: String)] = []
    var body = ByteBuffer()
    /// False: bytes of the answer's body are counted and dropped.
    var keepsBody = false
}

/// A whole answer, whatever its status.
struct WireAnswer: Sendable {
    let status: Int
    /// False: it came over HTTP/1.1.
    let isHTTP2: Bool
    /// Names in lower case.
    let fields: [(name: String, value: String)]
    /// As it came, compressed or not; empty unless the request keeps it.
    let body: ByteBuffer
    let bodyBytes: Int
    /// When the request was handed to the socket.
    let sent: NIODeadline
    let firstByte: NIODeadline
    let ended: NIODeadline

    func field(_ name: String) -> String? { fields.first { $0.name == name }?.value }
}

/// Why there is no whole answer.
enum WireFailure: Error, Hashable, Sendable {
    case cannotConnect(String)
    /// The connection ended before the answer did.
    case closed
    /// HTTP/2: the stream was reset with this code.
    case reset(UInt32)
    /// HTTP/2: the server is leaving and has not looked at the request; another connection may be tried.
    case goneAway
    case tooSlow
    /// What came is no HTTP.
    case garbled(String)

    /// A few words to count failures under; the same for all failures of a kind.
    var kind: String {
        switch self {
        case .cannotConnect(let why): "no connection: \(why)"
        case .closed: "connection closed"
        case .reset(let code): "stream reset (\(code))"
        case .goneAway: "server is leaving"
        case .tooSlow: "no answer in time"
        case .garbled(let what): "no HTTP: \(what)"
        }
    }
}

typealias WireOutcome = Result<WireAnswer, WireFailure>
