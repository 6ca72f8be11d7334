import CNghttp2
import NIOCore

/// What time and a stopping server do to an HTTP/2 connection.
extension HTTP2Connection {
    var waitsForClient: Bool { streams.places.contains { $0?.hasBytesToSend == true } }

    func inputEnded() { connection.closeNow() }

    /// First a notice, so that streams on their way are still taken; when the client has seen it (it answers our PING),
    /// the number of the last stream that will be answered. RFC 9113, 6.8.
    func drain() {
        guard case .no = draining else { return }
        draining = .noticed(since: .now())
        nghttp2_submit_shutdown_notice(session)
        nghttp2_submit_ping(session, 0, nil)
        send()
    }

    func pongCame() {
        if case .noticed = draining { sayGoodbye() }
    }

    func sayGoodbye() {
        if case .said = draining { return }
        draining = .said
        let last = nghttp2_session_get_last_proc_stream_id(session)
        nghttp2_submit_goaway(session, 0, last, NGHTTP2_NO_ERROR.rawValue, nil, 0)
    }

    func tick(_ now: NIODeadline) {
        let limits = loop.shared.configuration
        if case .noticed(let since) = draining, now > since + limits.freshTime { sayGoodbye() }
        if streams.isEmpty {
            if now > lastActive + limits.idleTime {
                nghttp2_session_terminate_session(session, NGHTTP2_NO_ERROR.rawValue)
            }
        } else {
            lastActive = now
            for place in streams.places.indices { check(place, now, limits) }
        }
        if nghttp2_session_want_write(session) != 0 || nghttp2_session_want_read(session) == 0 { send() }
    }

    private func check(_ place: Int, _ now: NIODeadline, _ limits: EdgeServerConfiguration) {
        guard let stream = streams[place] else { return }
        switch stream.phase {
        case .awaitsEnd:
            if now > stream.account.arrived + limits.headTime { refuse(place, .headTooSlow) }
        case .awaitsAnswer:
            guard now > stream.account.arrived + limits.answerTime else { return }
            loop.figures.answersLate.add()
            refuse(place, .answerTooSlow)
        case .opening: break
        case .answering:
            // Others may flow meanwhile: only a shut window is the client's doing.
            guard stream.hasBytesToSend, now > stream.lastSent + limits.stallTime,
                nghttp2_session_get_stream_remote_window_size(session, stream.id) <= 0
                    || nghttp2_session_get_remote_window_size(session) <= 0
            else { return }
            loop.figures.stalls.add()
            nghttp2_submit_rst_stream(session, 0, stream.id, NGHTTP2_CANCEL.rawValue)
        }
    }
}
