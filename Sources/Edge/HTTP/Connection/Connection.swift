import Logging
import NIOCore
import NIOSSL
import NIOTLS

/// The last handler of a connection's pipeline: finds out the protocol, then passes bytes to its engine.
///
/// One handler and no child channels: the cost of a request is the engine's alone. Confined to its event loop.
final class Connection: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = IOData
    typealias OutboundOut = IOData

    private enum Phase {
        /// TLS is being agreed on.
        case handshake
        /// Plain: the first bytes tell HTTP/1.1 from HTTP/2 with prior knowledge.
        case undecided(ByteBuffer)
        case serving(any ConnectionEngine)
        /// The last answer is being written.
        case finishing
        /// Our side is closed; what the client still sends is dropped.
        case lingering(until: NIODeadline, bytesLeft: Int)
        case closed
    }

    let loop: ServerLoop
    let isTLS: Bool
    /// Over the limit: whatever it asks is answered 503, then it is closed.
    private(set) var isOneTooMany = false
    private(set) var peer = EdgePeer.unknown
    /// Where this connection stands in its loop's list; the list's own business.
    var place = 0

    private var phase: Phase
    private var context: ChannelHandlerContext?
    private var since = NIODeadline.now()
    private var progress = WriteProgress()
    private var holdsReads = false
    private var readIsHeld = false
    /// nil with TLS, and when it is closed.
    private var socket: PlainSocket?
    /// Bytes of ours in the loop's outbox; they go before anything else that is written.
    private(set) var gathered = 0
    /// Something was given to the channel and may not have left yet.
    private var usesChannel = false

    /// What a client may still send after its last answer before the connection is cut.
    private static let lingerBytesMax = 1 << 20

    init(loop: ServerLoop, isTLS: Bool) {
        self.loop = loop
        self.isTLS = isTLS
        phase = isTLS ? .handshake : .undecided(ByteBuffer())
    }

    // MARK: For engines

    var isWritable: Bool { context?.channel.isWritable ?? false }

    /// Puts an answer into the loop's outbox, if it may go past the channel and TLS.
    ///
    /// - Parameter atMost: so much may be there already.
    /// - Returns: false if it must be written.
    func gather(_ form: Rendition, _ body: ByteBuffer?, atMost bytesMax: Int) -> Bool {
        guard socket != nil, gathered <= bytesMax, !usesChannel || isWritable else { return false }
        let count = loop.outbox.add(form, body, loop.date, to: self)
        gathered += count
        return count > 0
    }

    func write(_ bytes: ByteBuffer) {
        settle()
        progress.handed += bytes.readableBytes
        usesChannel = true
        context?.write(Self.wrapOutboundOut(.byteBuffer(bytes)), promise: nil)
    }

    /// - Parameter done: called with true when the bytes have left, before anything that was written behind them; with
    ///   false if they can't.
    func write(_ region: FileRegion, done: @escaping (Bool) -> Void) {
        settle()
        guard let context else { return done(false) }
        progress.handed += region.readableBytes
        usesChannel = true
        context.write(Self.wrapOutboundOut(.fileRegion(region))).assumeIsolated().whenComplete { result in
            if case .success = result { done(true) } else { done(false) }
        }
    }

    func flush() { context?.flush() }

    /// Sends at once what the kernel has room for, if nothing else waits to be sent.
    ///
    /// - Parameter isPart: more follows at once, so that the kernel may fill its packets.
    /// - Returns: how many bytes have left; 0 with TLS.
    func sendNow(_ bytes: UnsafeRawBufferPointer, isPart: Bool) -> Int {
        settle()
        guard isChannelIdle, let sent = socket?.send(bytes, isPart: isPart) else { return 0 }
        progress.handed += sent
        return sent
    }

    /// The same with bytes of a file.
    func sendNow(_ file: OpenFile, _ range: Range<Int>) -> Int {
        settle()
        guard isChannelIdle, let sent = socket?.send(file, range) else { return 0 }
        progress.handed += sent
        return sent
    }

    /// Stops or resumes reading from the socket.
    func holdReads(_ hold: Bool) {
        guard hold != holdsReads else { return }
        holdsReads = hold
        if !hold, readIsHeld {
            readIsHeld = false
            context?.read()
        }
    }

    /// Closes politely after everything written has left: our half first, then the rest when the client has had time to
    /// read. Closing at once would reset the connection if unread input is there, and take the answer with it.
    func finish() {
        settle()
        guard case .serving(let engine) = phase, let context else { return }
        phase = .finishing
        engine.closed()
        let last = context.writeAndFlush(Self.wrapOutboundOut(.byteBuffer(ByteBuffer())))
        last.assumeIsolated().whenComplete { _ in self.linger() }
        holdReads(false)
    }

    /// Closes without waiting for anyone: not for the client's farewell either, which TLS would wait seconds for.
    func closeNow() {
        settle()
        let tls = isTLS ? try? context?.pipeline.syncOperations.context(handlerType: NIOSSLHandler.self) : nil
        (tls ?? context)?.close(promise: nil)
    }

    /// The client's `Upgrade: h2c` is granted: from now on the connection speaks HTTP/2.
    func serve(_ engine: any ConnectionEngine) { phase = .serving(engine) }

    private func linger() {
        guard case .finishing = phase, let context else { return }
        let until = NIODeadline.now() + loop.shared.configuration.lingerTime
        phase = .lingering(until: until, bytesLeft: Self.lingerBytesMax)
        context.close(mode: .output, promise: nil)
    }

    // MARK: For the outbox

    /// The loop's outbox sends what it has gathered for this connection.
    func leave(_ bytes: UnsafeRawBufferPointer) {
        gathered -= bytes.count
        guard let context else { return }
        progress.handed += bytes.count
        let sent = isChannelIdle ? socket?.send(bytes) ?? 0 : 0
        guard sent < bytes.count else { return }
        usesChannel = true
        let rest = ByteBuffer(bytes: UnsafeRawBufferPointer(rebasing: bytes[sent...]))
        context.writeAndFlush(Self.wrapOutboundOut(.byteBuffer(rest)), promise: nil)
    }

    /// What was gathered leaves before what is written now.
    private func settle() { if gathered > 0 { loop.outbox.send() } }

    private var isChannelIdle: Bool {
        if !usesChannel { return true }
        usesChannel = bufferedBytes > 0
        return !usesChannel
    }

    private var bufferedBytes: Int { (try? context?.channel.syncOptions?.getOption(.bufferedWritableBytes)) ?? 0 }

    // MARK: For the loop

    func drain() {
        switch phase {
        case .serving(let engine): engine.drain()
        case .undecided: since = .now()
        case .handshake, .finishing, .lingering, .closed: break
        }
    }

    func tick(_ now: NIODeadline) {
        let limits = loop.shared.configuration
        switch phase {
        case .handshake:
            if now > since + limits.headTime { closeNow() }
        case .undecided(let bytes):
            let time = bytes.readableBytes > 0 ? limits.headTime : loop.isDraining ? limits.freshTime : limits.idleTime
            if now > since + time { closeNow() }
        case .serving(let engine):
            engine.tick(now)
            checkProgress(now, waits: engine.waitsForClient)
        case .finishing:
            checkProgress(now, waits: true)
        case .lingering(let until, _):
            if now > until { closeNow() }
        case .closed: break
        }
    }

    private func checkProgress(_ now: NIODeadline, waits: Bool) {
        guard progress.isStalled(now, buffered: bufferedBytes, waits: waits, limit: loop.shared.configuration.stallTime)
        else { return }
        loop.figures.stalls.add()
        loop.shared.logger.debug("closed a connection whose client stopped reading")
        closeNow()
    }

    // MARK: From the channel

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        if context.channel.isActive { opened(context) }
    }

    func channelActive(context: ChannelHandlerContext) {
        opened(context)
        context.fireChannelActive()
    }

    func channelInactive(context: ChannelHandlerContext) {
        let last = phase
        guard case .closed = last else {
            phase = .closed
            self.context = nil
            socket = nil
            loop.remove(self)
            loop.shared.connectionsOpen.add(-1)
            if case .serving(let engine) = last { engine.closed() }
            context.fireChannelInactive()
            return
        }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let bytes = Self.unwrapInboundIn(data)
        switch phase {
        case .serving(let engine): engine.received(bytes)
        case .undecided(let earlier): decide(earlier, bytes)
        case .lingering(let until, let bytesLeft):
            if bytesLeft < bytes.readableBytes { return closeNow() }
            phase = .lingering(until: until, bytesLeft: bytesLeft - bytes.readableBytes)
        case .handshake, .finishing, .closed: break
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        if case .serving(let engine) = phase { engine.receivedAll() }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable, case .serving(let engine) = phase { engine.becameWritable() }
    }

    func read(context: ChannelHandlerContext) {
        if holdsReads { readIsHeld = true } else { context.read() }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case TLSUserEvent.handshakeCompleted(let negotiated)? = event as? TLSUserEvent {
            if case .handshake = phase { serve(negotiated == "h2" ? .http2 : .http1) }
        } else if case ChannelEvent.inputClosed? = event as? ChannelEvent {
            if case .serving(let engine) = phase { engine.inputEnded() } else { closeNow() }
        }
        context.fireUserInboundEventTriggered(event)
    }

    /// Resets, failed handshakes and the like: the client's doing as a rule, so no more than a debug line.
    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        loop.shared.logger.debug("connection failed", metadata: ["error": "\(error)"])
        closeNow()
    }

    // MARK: Protocols

    private enum Version { case http1, http2 }

    private func opened(_ context: ChannelHandlerContext) {
        let limits = loop.shared.configuration
        let open = loop.shared.connectionsOpen.add()
        since = .now()
        peer = EdgePeer(context.channel.remoteAddress)
        if !isTLS { socket = PlainSocket(context.channel) }
        loop.add(self)
        guard open > limits.connectionsMax else { return }
        isOneTooMany = true
        loop.figures.connectionsRefused.add()
        if open > limits.connectionsMax + limits.connectionsRefusedMax { closeNow() }
    }

    private func decide(_ earlier: ByteBuffer, _ bytes: ByteBuffer) {
        var all = earlier
        all.writeImmutableBuffer(bytes)
        let preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8
        guard zip(all.readableBytesView, preface).allSatisfy({ $0 == $1 }) else {
            serve(.http1)
            return received(all)
        }
        guard all.readableBytes >= preface.count else {
            if earlier.readableBytes == 0 { since = .now() }
            phase = .undecided(all)
            return
        }
        serve(.http2)
        received(all)
    }

    private func serve(_ version: Version) {
        switch version {
        case .http1: phase = .serving(HTTP1Connection(self))
        case .http2: phase = .serving(HTTP2Connection(self))
        }
        if loop.isDraining { drain() }
    }

    private func received(_ bytes: ByteBuffer) {
        if case .serving(let engine) = phase { engine.received(bytes) }
    }
}
