import NIOCore
import NIOPosix
import NIOSSL
import NIOTLS

/// One connection to a server: makes it, finds out what it speaks, and passes bytes to the one who speaks it.
///
/// Confined to its event loop; `listener` hears everything.
final class WireConnection: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private enum Phase {
        case connecting
        case speaking(any WireSpeaker)
        case closed
    }

    let target: WireTarget
    let streamsMax: Int
    /// Let go when the connection is over: it holds the connection, as a rule.
    private(set) var listener: (any WireListener)?
    /// False while it is open whether it will speak HTTP/2: libcurl lets other requests wait for that.
    private(set) var isSettled: Bool
    /// What the server has agreed to, once it is known.
    private(set) var speaksHTTP2 = false

    private let settings: HTTP2Settings
    private var phase = Phase.connecting
    private var context: ChannelHandlerContext?
    private var timer: Scheduled<Void>?
    private var failure: WireFailure?

    init(_ target: WireTarget, streamsMax: Int, settings: HTTP2Settings, listener: any WireListener) {
        self.target = target
        self.streamsMax = streamsMax
        self.settings = settings
        self.listener = listener
        isSettled = target.speech == .http1
    }

    /// Connects, and says so by `isReady` or `ended`.
    ///
    /// - Parameter time: from here to the end of the TLS handshake.
    func open(on loop: any EventLoop, tls: NIOSSLContext?, within time: TimeAmount) {
        let bound = NIOLoopBound(self, eventLoop: loop)
        timer = loop.assumeIsolated().scheduleTask(in: time) { self.close(.cannotConnect("no connection in time")) }
        let (target, tls) = (target, target.isEncrypted ? tls : nil)
        ClientBootstrap(group: loop).connectTimeout(time)
            .channelOption(.recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: 64 << 10))
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let pipeline = channel.pipeline.syncOperations
                    if let tls { try pipeline.addHandler(try Self.tlsHandler(tls, target.host)) }
                    try pipeline.addHandler(bound.value)
                }
            }
            .connect(host: target.host, port: target.port)
            .assumeIsolated().whenFailure { self.over(.cannotConnect(Reason.text($0))) }
    }

    private static func tlsHandler(_ tls: NIOSSLContext, _ host: String) throws -> NIOSSLClientHandler {
        // Certificates name hosts; an address has no name to ask for.
        let isAddress = (try? SocketAddress(ipAddress: host, port: 0)) != nil
        return try NIOSSLClientHandler(context: tls, serverHostname: isAddress ? nil : host)
    }

    // MARK: For users

    /// How many more requests it takes now.
    var room: Int {
        if case .speaking(let speaker) = phase { return speaker.room }
        return 0
    }

    var isConnecting: Bool {
        if case .connecting = phase { return true }
        return false
    }

    /// Goes out with the next `flush`, or when all that has been received is read.
    func send(_ parcel: WireParcel, tag: Int) {
        guard case .speaking(let speaker) = phase else {
            listener?.failed(tag, .closed, isUntouched: true)
            return
        }
        speaker.send(parcel, tag: tag)
    }

    func flushRequests() {
        if case .speaking(let speaker) = phase { speaker.flush() }
    }

    func cancel(_ tag: Int) {
        if case .speaking(let speaker) = phase { speaker.cancel(tag) }
    }

    /// Closes without waiting for the server's farewell.
    ///
    /// - Parameter reason: what requests in flight fail with; nil: `closed`.
    func close(_ reason: WireFailure?) {
        if failure == nil { failure = reason }
        guard let context else { return over(reason) }
        let tls =
            target.isEncrypted ? try? context.pipeline.syncOperations.context(handlerType: NIOSSLHandler.self) : nil
        (tls ?? context).close(promise: nil)
    }

    // MARK: For speakers

    func write(_ bytes: ByteBuffer) { context?.write(Self.wrapOutboundOut(bytes), promise: nil) }
    func flush() { context?.flush() }

    /// The server allows more requests, or fewer.
    func roomChanged() { listener?.isReady(self) }

    /// The server answers in HTTP/1.1, whatever it was asked.
    func settle() {
        guard !isSettled else { return }
        isSettled = true
        listener?.isReady(self)
    }

    func upgraded(tag: Int, isHead: Bool, rest: ByteBuffer) {
        let speaker = HTTP2Speaker(self, settings)
        phase = .speaking(speaker)
        speaksHTTP2 = true
        isSettled = true
        speaker.begin(upgraded: (tag, isHead))
        var rest = rest
        if rest.readableBytes > 0 { speaker.received(&rest) }
        listener?.isReady(self)
        speaker.flush()
    }

    // MARK: From the channel

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }
    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    func channelActive(context: ChannelHandlerContext) {
        if !target.isEncrypted { speak(target.speech == .http2) }
        context.fireChannelActive()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch event {
        case TLSUserEvent.handshakeCompleted(let chosen): speak(chosen == "h2")
        case ChannelEvent.inputClosed:
            if case .speaking(let speaker) = phase { speaker.inputEnded() }
        default: break
        }
    }

    private func speak(_ isHTTP2: Bool) {
        guard case .connecting = phase else { return }
        timer?.cancel()
        speaksHTTP2 = isHTTP2
        if isHTTP2 {
            let speaker = HTTP2Speaker(self, settings)
            phase = .speaking(speaker)
            speaker.begin()
        } else {
            phase = .speaking(HTTP1Speaker(self, asksForUpgrade: target.speech == .upgrade && !target.isEncrypted))
        }
        isSettled = isHTTP2 || target.speech != .upgrade || target.isEncrypted
        listener?.isReady(self)
        flushRequests()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard case .speaking(let speaker) = phase else { return }
        var bytes = Self.unwrapInboundIn(data)
        speaker.received(&bytes)
    }

    func channelReadComplete(context: ChannelHandlerContext) { flushRequests() }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if case .connecting = phase { failure = failure ?? .cannotConnect(Reason.text(error)) }
        // TLS: the server hung up without a farewell. What was cut off is known from the length of the answer.
        close(nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        // Without half-closure NIO reports the end of the input by closing.
        if case .speaking(let speaker) = phase { speaker.inputEnded() }
        over(nil)
        context.fireChannelInactive()
    }

    private func over(_ reason: WireFailure?) {
        if case .closed = phase { return }
        timer?.cancel()
        let wasConnecting = isConnecting
        let speaker: (any WireSpeaker)? = if case .speaking(let speaker) = phase { speaker } else { nil }
        phase = .closed
        let why = failure ?? reason
        speaker?.ended(why ?? .closed)
        let listener = listener
        self.listener = nil
        listener?.ended(self, wasConnecting ? why ?? .cannotConnect("closed before it was made") : why)
    }
}
