"""The port: what a channel is, what the core hands to it, and the outcome of sending a message.

A channel turns a page into a message and a message into one outcome; it passes on the command lines that people type
and press, and lays replies out. It knows nothing of editions, preferences or the database.
"""

from bot.channel.audio import Recording
from bot.channel.command_lines import CommandName, command_line, edition_line, paper_line, quoted_command
from bot.channel.conversation import CommandInfo, File, Option, Reply, Requester, Row, Suggestion
from bot.channel.edition_cloud import cloud_url
from bot.channel.feedback import Feedback, FeedbackHandler, OperatorTools, WeighsBounces
from bot.channel.media_addresses import media_url
from bot.channel.message import Limits, Message, Pace, Paid, Personal, Rate, utf16_units
from bot.channel.outcome import Barred, Deferred, Gone, Outcome, Rejected, Sent, Unknown
from bot.channel.page import FIRST_PAGE, NOTICE, About, Block, Direction, Link, Page, Paging, Said
from bot.channel.port import (
    FIRST_ACCOUNT,
    AwaitsPictures,
    Channel,
    Commands,
    DeepLinking,
    Escape,
    Finding,
    Handler,
    HasAccounts,
    Hook,
    Hooked,
    Inviting,
    Kit,
    LoginError,
    Mailing,
    MediaFinder,
    Memory,
    Playing,
    Template,
    no_media,
)
from bot.channel.preference import AUDIO, N_, SILENT, Kind, Preference
from bot.channel.tokens import LEAVE, MAIL, Links, Unsigned
