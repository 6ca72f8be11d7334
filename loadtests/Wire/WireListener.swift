import NIOCore

/// Hears what becomes of requests; one object for any number of connections, and nothing is allocated for a call.
///
/// All calls come on the connections' event loop. Requests may be sent from within any of them. A tag is the sender's
/// own number for a request.
protocol WireListener: AnyObject {
    /// The connection speaks HTTP now, or takes more requests than before.
    func isReady(_ connection: WireConnection)
    /// Called once and last, after its requests have failed. nil: it was closed in peace.
    func ended(_ connection: WireConnection, _ failure: WireFailure?)
    /// Comes again if the first answer was an interim one; its fields count no more then.
    func answerBegan(_ tag: Int, status: Int)
    /// HTTP/1.1 brings names in any case.
    func answerField(_ tag: Int, name: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer)
    func answerBytes(_ tag: Int, _ bytes: UnsafeRawBufferPointer)
    func answerEnded(_ tag: Int)
    /// - Parameter isUntouched: the server has not looked at the request, so that another connection may be tried.
    func failed(_ tag: Int, _ failure: WireFailure, isUntouched: Bool)
}

/// What a connection speaks, once that is known. Confined to the connection's event loop.
protocol WireSpeaker: AnyObject {
    /// How many more requests it takes now.
    var room: Int { get }
    func send(_ parcel: WireParcel, tag: Int)
    /// Gives a request up; nobody hears of it any more.
    func cancel(_ tag: Int)
    func received(_ bytes: inout ByteBuffer)
    /// Writes what it has to say.
    func flush()
    /// The server closed its half: no more bytes come.
    func inputEnded()
    /// The connection is over: fails what is in flight.
    func ended(_ failure: WireFailure)
}
