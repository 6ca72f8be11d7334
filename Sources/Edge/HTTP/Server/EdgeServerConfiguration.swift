package import NIOCore

/// Where an edge's HTTP server listens, and every limit that it keeps.
///
/// The defaults fit cargo: two connections of 100 streams a client, a client that gives up after 30 silent seconds.
package struct EdgeServerConfiguration: Sendable {
    /// One address to listen on; with `tls` it speaks HTTPS only, without it HTTP and h2c only.
    package struct Listener: Sendable {
        package var host: String
        /// 0 asks the system for a free port; `EdgeServer.boundAddresses` tells which.
        package var port: Int
        package var tls: TLS?

        package init(host: String, port: Int, tls: TLS? = nil) {
            self.host = host
            self.port = port
            self.tls = tls
        }
    }

    /// PEM files, read once at start. TLS 1.2 or newer; ALPN offers `h2`, then `http/1.1`.
    package struct TLS: Sendable {
        /// The server's certificate first, then the intermediate ones.
        package var certificateChainFile: String
        package var privateKeyFile: String

        package init(certificateChainFile: String, privateKeyFile: String) {
            self.certificateChainFile = certificateChainFile
            self.privateKeyFile = privateKeyFile
        }
    }

    package var listeners: [Listener]
    /// Where a reverse proxy tells who asks; nil: nobody is in between.
    package var clientField: ClientField?
    /// Event loops when the server makes its own group.
    package var threads = 1
    package var backlog = 1024

    /// Connections beyond this are accepted and answered 503 with `retry-after`, because cargo takes an empty reply on
    /// a fresh connection as fatal; beyond `connectionsRefusedMax` more they are closed unread.
    package var connectionsMax = 8192
    package var connectionsRefusedMax = 256
    /// Requests in all connections together that may wait for their answer; beyond it 503 with `retry-after`.
    package var requestsMax = 16384
    /// Requests of one HTTP/1.1 connection that may wait in line; beyond it the socket is not read.
    package var pipelineMax = 32
    /// Streams of one HTTP/2 connection at once, as announced in SETTINGS. cargo needs 100.
    package var streamsMax = 128

    /// From the first byte of a connection (TLS handshake included) or of a request to the end of the request's head.
    package var headTime: TimeAmount = .seconds(10)
    /// How long a connection may stay open without a request.
    package var idleTime: TimeAmount = .seconds(75)
    /// How long a handler may take; then the client gets 503 with `retry-after`.
    package var answerTime: TimeAmount = .seconds(20)
    /// How long a client may leave an answer unread, without taking a single byte.
    package var stallTime: TimeAmount = .seconds(30)
    /// How often the times above are looked at, and so how late they can be kept.
    package var tickTime: TimeAmount = .milliseconds(250)
    /// After the last answer of a connection: how long what the client still sends is read and dropped, so that the
    /// answer is not lost in a reset.
    package var lingerTime: TimeAmount = .seconds(2)
    /// When stopping: how long a connection that never sent a request may still send its first one.
    package var freshTime: TimeAmount = .seconds(1)

    /// Resets and empty control frames that one HTTP/2 connection may send at once, and the rate at which that
    /// allowance comes back. Beyond it: GOAWAY with ENHANCE_YOUR_CALM.
    package var resetsMax = 300
    package var resetsPerSecond = 30
    package var controlFramesMax = 2000
    package var controlFramesPerSecond = 200

    /// File bytes read ahead for one answer, where sendfile can't be used (TLS, HTTP/2).
    package var fileChunkBytes = 256 << 10
    /// All read-ahead of the server together; beyond it chunks shrink to 16 KiB.
    package var fileBufferBytesMax = 256 << 20

    package init(listeners: [Listener]) { self.listeners = listeners }
}

/// Limits of a request's head; the same for HTTP/1.1 and HTTP/2.
enum HeadLimits {
    /// Method, target and version; for HTTP/2 the path. 414 beyond.
    static let requestLineBytesMax = 8 << 10
    /// Names and values of all fields. 431 beyond.
    static let fieldBytesMax = 16 << 10
    /// 431 beyond.
    static let fieldsMax = 64
}
