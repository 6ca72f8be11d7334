import Hummingbird
package import NIOCore
import NIOHTTP1
package import NIOHTTPTypes

/// Lets an answer overtake the upload that it refuses, and asks for an upload that waits to be asked for.
///
/// | situation                                              | what happens                                                   | case |
/// |--------------------------------------------------------|----------------------------------------------------------------|------|
/// | `Expect: 100-continue`, the route wants the body       | `100 Continue`, once                                           | E10  |
/// | `Expect: 100-continue`, the route refuses              | the final answer instead; the body never travels               | E10  |
/// | an answer is complete before the request is            | `connection: close`, half-close, the rest is read and dropped  | E5   |
/// | the rest is longer than the limits below               | the connection is closed                                       |      |
/// | a request line or a header that is too large           | 431 with JSON `errors`, then closed                            | H13  |
/// | a later request offers another protocol                | its answer, then closed; the first one's offer is passed over  | A26  |
/// | what is no HTTP                                        | 400 with JSON `errors`, then closed                            | H13  |
///
/// Closing with unread bytes makes the kernel send a reset, which can destroy the answer before cargo reads it: hence
/// half-close and drain. One handler a connection, between the HTTP codec and Hummingbird.
package final class EarlyAnswer: ChannelDuplexHandler, RemovableChannelHandler {
    package typealias InboundIn = HTTPRequestPart
    package typealias InboundOut = HTTPRequestPart
    package typealias OutboundIn = HTTPResponsePart
    package typealias OutboundOut = HTTPResponsePart

    /// Sent down the pipeline by a route that is about to read the request's body.
    package struct BodyIsWanted: Sendable { package init() {} }

    /// How much of a refused upload is read, so that the client gets to the answer.
    package static let drainedBytesMax = 16 << 20
    package static let drainTimeMax: TimeAmount = .seconds(5)

    /// Requests whose answer is not complete; more than one if the client does not wait for answers.
    private var unanswered = 0
    /// The decoder reads nothing after a request that offers another protocol (A26); see `UpgradeFilter`.
    private var decoderHasStopped = false
    /// Of the request that came last.
    private var requestIsComplete = true
    private var waitsToBeAsked = false
    private var isDraining = false
    private var drainedBytes = 0
    private var answerHasBegun = false

    package init() {}

    package func handlerAdded(context: ChannelHandlerContext) {
        do {
            try context.pipeline.syncOperations.addHandler(UpgradeFilter(), position: .first)
        } catch {
            context.fireErrorCaught(error)
        }
    }

    package func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head):
            unanswered += 1
            requestIsComplete = false
            decoderHasStopped = decoderHasStopped || head.headerFields[.upgrade] != nil
            waitsToBeAsked = head.headerFields[.expect]?.lowercased() == "100-continue"
        case .body(let bytes) where isDraining:
            drainedBytes += bytes.readableBytes
            if drainedBytes > Self.drainedBytesMax { context.close(promise: nil) }
        case .body: break
        case .end:
            requestIsComplete = true
            if isDraining { context.close(promise: nil) }
        }
        if !isDraining { context.fireChannelRead(data) }
    }

    package func channelReadComplete(context: ChannelHandlerContext) {
        context.fireChannelReadComplete()
        // Nobody behind this handler sees what is dropped, so nobody would ask for more.
        if isDraining { context.read() }
    }

    package func triggerUserOutboundEvent(
        context: ChannelHandlerContext, event: Any, promise: EventLoopPromise<Void>?
    ) {
        guard event is BodyIsWanted else {
            context.triggerUserOutboundEvent(event, promise: promise)
            return
        }
        if waitsToBeAsked, unanswered == 1 {
            waitsToBeAsked = false
            context.writeAndFlush(wrapOutboundOut(.head(HTTPResponse(status: .continue))), promise: nil)
        }
        promise?.succeed()
    }

    package func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        switch unwrapOutboundIn(data) {
        case .head(var head) where isEarly && head.status.kind != .informational:
            head.headerFields[.connection] = "close"
            answerHasBegun = true
            context.write(wrapOutboundOut(.head(head)), promise: promise)
        case .end where isEarly && answerHasBegun:
            context.writeAndFlush(data, promise: promise)
            beginDraining(context)
        case .head(let head) where head.status.kind != .informational:
            answerHasBegun = true
            context.write(data, promise: promise)
        case .end:
            unanswered -= 1
            answerHasBegun = false
            context.write(data, promise: promise)
        default:
            context.write(data, promise: promise)
        }
    }

    /// True while the answer that is being written belongs to the request that is still being read.
    ///
    /// So it is also when no further request can be read.
    private var isEarly: Bool { unanswered == 1 && (!requestIsComplete || decoderHasStopped) }

    package func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard let error = error as? HTTPParserError, !isDraining, !answerHasBegun, context.channel.isActive else {
            context.fireErrorCaught(error)
            return
        }
        let refusal =
            error == .headerOverflow
            ? Refusal(.requestHeaderFieldsTooLarge, "the request line or a header is too large for this registry")
            : Refusal.badRequest("the request is not valid HTTP, or was cut off")
        var response = RefusalForm.json.response(refusal)
        response.headers[.connection] = "close"
        context.write(wrapOutboundOut(.head(response.head)), promise: nil)
        context.write(wrapOutboundOut(.body(RefusalForm.json(refusal))), promise: nil)
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        beginDraining(context)
    }

    private func beginDraining(_ context: ChannelHandlerContext) {
        isDraining = true
        context.close(mode: .output, promise: nil)
        let channel = context.channel
        context.eventLoop.scheduleTask(in: Self.drainTimeMax) { channel.close(promise: nil) }
        context.read()
    }
}

@available(*, unavailable)
extension EarlyAnswer: Sendable {}
