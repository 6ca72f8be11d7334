import NIOCore

/// One protocol's side of a connection. Lives on the connection's event loop and is called there only.
protocol ConnectionEngine: AnyObject {
    /// True while the client could take bytes of an answer but hasn't made room for them.
    var waitsForClient: Bool { get }

    func received(_ bytes: ByteBuffer)
    /// The end of a burst of reads: what can be answered leaves now, in one write.
    func receivedAll()
    func becameWritable()
    /// The client will send no more; what it asked for may still be answered.
    func inputEnded()
    /// Finish what runs, take nothing new, then close.
    func drain()
    func tick(_ now: NIODeadline)
    /// The socket is gone. Called once; the last call.
    func closed()
}
