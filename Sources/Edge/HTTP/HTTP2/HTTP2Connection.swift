import NIOCore

final class HTTP2Connection: ConnectionEngine {
    init(_ connection: Connection) {}
    init?(_ connection: Connection, upgrading request: EdgeRequest, settings: ByteBuffer) { return nil }
    func begin(rest: ByteBuffer) {}
    var waitsForClient: Bool { false }
    func received(_ bytes: ByteBuffer) {}
    func receivedAll() {}
    func becameWritable() {}
    func inputEnded() {}
    func drain() {}
    func tick(_ now: NIODeadline) {}
    func closed() {}
}
