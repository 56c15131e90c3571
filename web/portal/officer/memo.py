"""The memo of a case: the same figures as its page, printed for the file."""

from flask import Response, render_template

from web.context import actor, now
from web.pdf import pdf_of
from web.portal import chain
from web.portal.officer import caseview, verdicts
from web.portal.officer.case import file_of
from web.portal.officer.desk import page


@page("/cases/<request_id>/memo.pdf", "request.read")
def memo(request_id: str) -> Response:
    """Print everything that the decision rests on, with who said what."""
    file = file_of(request_id)
    text = render_template(
        "officer/memo_print.html",
        case=caseview.view(file, actor()),
        overrides=verdicts.of_case(file, actor()),
        picture=chain.around(file.sides),
        printed_at=now(),
        printed_by=actor().name,
    )
    headers = {"Content-Disposition": f'inline; filename="memo-{file.request.id}.pdf"'}
    return Response(pdf_of(text), headers=headers, content_type="application/pdf")
