import CNghttp2
import Logging
import NIOCore

/// From a request to its answer on a stream.
extension HTTP2Connection {
    /// Asks the handler; the answer is submitted now or when it comes.
    func ask(place: Int) {
        guard let stream = streams[place] else { return }
        streams.change(place) { $0.phase = .awaitsAnswer }
        guard let answer = loop.ask(stream.account.request) else { return submit(Refusal.tooManyRequests, at: place) }
        streams.change(place) { $0.account.isCounted = true }
        guard case .later(let future) = answer else { return credit(answer, at: place) }
        loop.wait(future) { answer in
            // The stream may be over, and its place taken by another.
            guard let now = self.streams[place], now.id == stream.id, case .awaitsAnswer = now.phase else { return }
            self.credit(answer, at: place)
            self.send()
        }
    }

    private func credit(_ answer: EdgeAnswer, at place: Int) {
        let (plain, credit) = answer.parts
        streams.change(place) { $0.account.credit = credit }
        submit(plain, at: place)
    }

    /// Answers without asking the handler.
    func refuse(_ place: Int, _ refusal: Refusal) {
        loop.figures.requestsRefused.add()
        submit(refusal, at: place)
    }

    private func submit(_ refusal: Refusal, at place: Int) { submit(.rendered(refusal.answer), at: place) }

    private func submit(_ answer: EdgeAnswer, at place: Int) {
        guard let request = streams[place]?.account.request else { return }
        switch answer {
        case .rendered(let answer):
            let (form, bytes) = answer.form(acceptsGzip: request.acceptsGzip)
            submit(form, form.bodyBytes == 0 || request.method == .head ? .none : .bytes(bytes), at: place)
        case .file(let answer):
            let form = answer.form
            if form.bodyBytes == 0 || request.method == .head {
                submit(form, .none, at: place)
            } else {
                open(answer, form, at: place)
            }
        case .later, .credited: preconditionFailure("answers are waited for, and plain, before they are submitted")
        }
    }

    private func submit(_ form: Rendition, _ body: HTTP2Stream.Body, at place: Int) {
        guard let id = streams[place]?.id, let session else { return }
        streams.change(place) { stream in
            stream.phase = .answering
            stream.form = form
            stream.body = body
            stream.account.status = form.status
            stream.account.cache = form.cache
            stream.lastSent = loop.now
            // The head is the whole answer, and goes out with the next write.
            if case .none = body { stream.account.leaves(loop.shared.observer) }
        }
        let result = form.http2.withFields(date: loop.date.text) { fields, count in
            guard case .none = body else {
                var source = HTTP2Callbacks.bodySource(place: place)
                return nghttp2_submit_response(session, id, fields, count, &source)
            }
            return nghttp2_submit_response(session, id, fields, count, nil)
        }
        if result != 0 { nghttp2_submit_rst_stream(session, 0, id, NGHTTP2_INTERNAL_ERROR.rawValue) }
    }

    // MARK: Files

    private func open(_ answer: FileAnswer, _ form: Rendition, at place: Int) {
        guard let id = streams[place]?.id else { return }
        streams.change(place) { $0.phase = .opening }
        loop.open(answer) { file in
            guard self.streams[place]?.id == id else { return }
            if let file {
                self.submit(form, .file(FileBody(file, loop: self.loop)), at: place)
            } else {
                self.submit(Refusal.fileUnavailable, at: place)
            }
            self.send()
        }
    }

    func readAhead(_ file: FileBody, _ place: Int) {
        guard let id = streams[place]?.id else { return }
        file.readAhead { result in
            guard let session = self.session, self.streams[place]?.id == id else { return }
            switch result {
            case .success: nghttp2_session_resume_data(session, id)
            case .failure(let error):
                self.loop.shared.logger.error("a file broke off while it was sent", metadata: ["error": "\(error)"])
                nghttp2_submit_rst_stream(session, 0, id, NGHTTP2_INTERNAL_ERROR.rawValue)
            }
            self.send()
        }
    }
}
