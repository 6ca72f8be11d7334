import NIOCore

/// Takes the `Upgrade` line out of a connection's first request, so that the connection lives on as plain HTTP/1.1.
///
/// On plain HTTP, cargo and curl offer h2c in the first request of every connection (A26). The origin does not take
/// the offer, which a server may ignore; but NIO's decoder reads nothing more from a connection after such a request,
/// and cargo then waits 30 seconds for its second answer. Later requests with the line are answered and closed by
/// `EarlyAnswer`. Stands first in the pipeline and leaves it after the first head.
final class UpgradeFilter: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    /// A longer head passes as it is: the decoder has limits of its own.
    static let headBytesMax = 64 << 10

    private var gathered = ByteBuffer()

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var bytes = unwrapInboundIn(data)
        gathered.writeBuffer(&bytes)
        guard let head = Self.headLength(gathered.readableBytesView) else {
            let isRequest = gathered.readableBytesView.first.map { UInt8(ascii: "A")...UInt8(ascii: "Z") ~= $0 } ?? true
            if !isRequest || gathered.readableBytes > Self.headBytesMax { passOn(context, gathered) }
            return
        }
        passOn(context, Self.withoutUpgrade(gathered, headLength: head))
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        context.fireChannelReadComplete()
        // Nobody behind sees the bytes that are held back, so nobody would ask for more.
        if gathered.readableBytes > 0 { context.read() }
    }

    /// What is held back still belongs to whoever says what a cut-off request is.
    func channelInactive(context: ChannelHandlerContext) {
        if gathered.readableBytes > 0 { passOn(context, gathered) }
        context.fireChannelInactive()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case .inputClosed = event as? ChannelEvent, gathered.readableBytes > 0 { passOn(context, gathered) }
        context.fireUserInboundEventTriggered(event)
    }

    private func passOn(_ context: ChannelHandlerContext, _ bytes: ByteBuffer) {
        gathered = ByteBuffer()
        context.fireChannelRead(wrapInboundOut(bytes))
        context.pipeline.syncOperations.removeHandler(context: context, promise: nil)
    }

    /// - Returns: nil while the empty line that ends a head is missing.
    private static func headLength(_ bytes: ByteBufferView) -> Int? {
        bytes.firstRange(of: [13, 10, 13, 10]).map { $0.upperBound - bytes.startIndex }
    }

    /// A line that is continued on the next one stays, since the rest of it would join the line before.
    static func withoutUpgrade(_ bytes: ByteBuffer, headLength: Int) -> ByteBuffer {
        let view = bytes.readableBytesView
        let end = view.startIndex + headLength
        var place = view.startIndex
        while let lineEnd = view[place..<end].firstRange(of: [13, 10])?.upperBound, lineEnd < end {
            if view[place..<lineEnd].isUpgrade, view[lineEnd] != UInt8(ascii: " "), view[lineEnd] != UInt8(ascii: "\t")
            {
                var filtered = ByteBuffer(view[..<place])
                filtered.writeBytes(view[lineEnd...])
                return filtered
            }
            place = lineEnd
        }
        return bytes
    }
}

extension ByteBufferView {
    fileprivate var isUpgrade: Bool {
        let name = Array("upgrade:".utf8)
        return count >= name.count && zip(self, name).allSatisfy { $0 == $1 || $0 | 0x20 == $1 }
    }
}
