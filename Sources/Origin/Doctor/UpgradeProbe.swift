import NIOCore
import NIOPosix

/// Asks a plain-HTTP server for HTTP/2, as cargo does with every read (`curl --http2`).
enum UpgradeProbe {
    private static let answerBytesMax = 64 << 10

    /// - Returns: the status of the answer; 101 grants the upgrade. Nil if there was none that could be read in time.
    static func status(host: String, port: Int, path: String) async throws -> Int? {
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .connectTimeout(.seconds(5))
            .connect(host: host, port: port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
                }
            }
        // A server that says nothing must not hold us.
        let timer = channel.channel.eventLoop.scheduleTask(in: .seconds(5)) { channel.channel.close(promise: nil) }
        defer { timer.cancel() }
        return try await channel.executeThenClose { inbound, outbound in
            let name = host.contains(":") ? "[\(host)]" : host
            try await outbound.write(
                ByteBuffer(
                    string: "GET \(path) HTTP/1.1\r\nHost: \(name):\(port)\r\nConnection: Upgrade, HTTP2-Settings\r\n"
                        + "Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA\r\nAccept: */*\r\n\r\n"))
            var answer = ByteBuffer()
            for try await var part in inbound {
                answer.writeBuffer(&part)
                let text = String(buffer: answer)
                guard text.contains("\r\n") || answer.readableBytes > answerBytesMax else { continue }
                return text.split(separator: " ").dropFirst().first.flatMap { Int($0) }
            }
            return nil
        }
    }
}
